"""Three machines share one study in PostgreSQL, and one of them is killed."""

import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import optuna
import pytest

from moebench.evidence.record_files import read
from moebench.run.fork_server import context
from moebench.sweeps.storage import open_storage

TRIALS = 5
COMMAND = """
import sys
from moebench.cli.main import main
from moebench.sweeps import leases
leases.BEAT_SECONDS, leases.STALE_SECONDS, leases.SETTLE_SECONDS = 0.5, 6.0, 0.5
sys.stdout = sys.stderr = open(log, "w")
sys.exit(main(arguments))
"""


def start(file: Path, url: str, root: Path) -> BaseProcess:
    """Start one machine's command."""
    root.mkdir()
    arguments = ["sweep", str(file), "--storage", url, "--root", str(root)]
    given = {"arguments": [*arguments, "--workers", "1", "--no-mlflow"], "log": root / "log"}
    machine = context().Process(target=exec, args=(COMMAND, given))
    machine.start()
    return machine


def unfinished(root: Path) -> list[Path]:
    """Return the trials that are being run under a root."""
    begun = {path.parent for path in root.glob("sweeps/*/trial_*/seed_*/history.jsonl")}
    return [folder for folder in begun if not (folder / "record.json").exists()]


def test_three_machines_one_killed(sweep_file, postgresql: str, tmp_path: Path) -> None:
    settings = {"trainer.max_steps": 60, "trainer.val_check_interval": 10}
    file = sweep_file(settings, trials=TRIALS)
    roots = [tmp_path / name for name in ("first", "second", "third")]
    machines = {root: start(file, postgresql, root) for root in roots}
    deadline = time.monotonic() + 600
    try:
        killed = None
        while killed is None and time.monotonic() < deadline:
            assert any(machine.is_alive() for machine in machines.values())
            killed = next((root for root in roots if unfinished(root)), None)
            time.sleep(0.02)
        assert killed is not None, "no trial was seen under way"
        machines[killed].kill()
        lost = int(unfinished(killed)[0].parent.name.removeprefix("trial_"))
        survivors = [root for root in roots if root is not killed]
        for root in survivors:
            machines[root].join(timeout=max(1.0, deadline - time.monotonic()))
            assert machines[root].exitcode == 0, (root / "log").read_text()
    finally:
        for machine in machines.values():
            machine.kill()
            machine.join()

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
