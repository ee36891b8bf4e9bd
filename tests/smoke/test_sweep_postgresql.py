"""Three machines share one study in PostgreSQL, and one of them is killed."""

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest

from moebench.records import read
from moebench.sweep.storage import open_storage

TRIALS = 5
COMMAND = """
import sys
from moebench.cli import main
from moebench.sweep import claims
claims.BEAT_SECONDS, claims.STALE_SECONDS, claims.SETTLE_SECONDS = 0.5, 6.0, 0.5
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def start(file: Path, url: str, root: Path) -> subprocess.Popen[bytes]:
    """Start one machine's command."""
    script = root.parent / "command.py"
    script.write_text(COMMAND)
    root.mkdir()
    arguments = ["sweep", str(file), "--storage", url, "--root", str(root)]
    command = [sys.executable, str(script), *arguments, "--workers", "1", "--no-mlflow"]
    with (root / "log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def unfinished(root: Path) -> list[Path]:
    """Return the trials that are being run under a root."""
    begun = {path.parent for path in root.glob("sweeps/*/trial_*/seed_*/history.jsonl")}
    return [folder for folder in begun if not (folder / "record.json").exists()]


def test_three_machines_one_killed(sweep_file, postgresql: str, tmp_path: Path) -> None:
    settings = {"trainer.max_steps": 60, "trainer.val_check_interval": 10}
    file = sweep_file(settings, trials=TRIALS)
    roots = [tmp_path / name for name in ("first", "second", "third")]
    machines = {root: start(file, postgresql, root) for root in roots}
    deadline = time.monotonic() + 240
    try:
        killed = None
        while killed is None and time.monotonic() < deadline:
            assert any(machine.poll() is None for machine in machines.values())
            killed = next((root for root in roots if unfinished(root)), None)
            time.sleep(0.02)
        assert killed is not None, "no trial was seen under way"
        machines[killed].send_signal(signal.SIGKILL)
        lost = int(unfinished(killed)[0].parent.name.removeprefix("trial_"))
        survivors = [root for root in roots if root is not killed]
        for root in survivors:
            status = machines[root].wait(timeout=max(1.0, deadline - time.monotonic()))
            assert status == 0, (root / "log").read_text()
    finally:
        for machine in machines.values():
            machine.kill()
            machine.wait()

    study = optuna.load_study(study_name="sweep", storage=postgresql)
    assert [trial.number for trial in study.trials] == list(range(TRIALS))
    assert Counter(trial.state.name for trial in study.trials) == {"COMPLETE": TRIALS}
    owners = {trial.user_attrs["owner"] for trial in study.trials}
    assert len(owners) >= 2, "the machines shared the work"
    dead = (killed / "sweeps" / "sweep" / "owner").read_text().strip()
    assert study.trials[lost].user_attrs["owner"] != dead, "the lost trial was taken over"
    for root in survivors:
        records = read(root / "sweeps" / "sweep" / "results.jsonl")
        ran = Counter((record.arm, record.seed) for record in records)
        assert set(ran.values()) == {1}
        assert {(f"trial_{number}", 0) for number in range(TRIALS)} <= set(ran)
        assert {record.status for record in records} == {"finished"}
    first, second = (read(root / "sweeps" / "sweep" / "results.jsonl") for root in survivors)
    assert first == second, "every machine has the records of all"


def test_a_database_that_does_not_answer() -> None:
    pytest.importorskip("psycopg")
    gone = "postgresql+psycopg://somebody:secret@127.0.0.1:9/postgres"
    with pytest.raises(ConnectionError, match="cannot be used") as refused:
        open_storage(Path("nowhere"), gone)
    assert "secret" not in str(refused.value)
