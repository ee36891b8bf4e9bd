"""A study in PostgreSQL: its driver is killed, another goes on; two at once are refused."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import optuna
import pytest

from moebench.cli.main import main
from moebench.evidence.record_files import read
from moebench.run.fork_server import context
from moebench.sweeps.storage import open_storage

TRIALS = 3


def test_what_is_in_the_study_is_enough_to_go_on(
    sweep_file, postgresql: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = {"trainer.max_steps": 60, "trainer.val_check_interval": 10}
    file = sweep_file(settings, trials=TRIALS, fresh_seeds=0, baselines=[])
    command = ["sweep", str(file), "--storage", postgresql, "--workers", "1", "--no-mlflow"]
    first, second = tmp_path / "first", tmp_path / "second"
    driver = context().Process(target=main, args=([*command, "--root", str(first)],))
    driver.start()
    deadline = time.monotonic() + 600
    while not list(first.glob("sweeps/*/trial_1/seed_0/history.jsonl")):
        assert driver.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGSTOP)  # however slow the other one is, this one is not done
    capsys.readouterr()
    assert main([*command, "--root", str(second)]) == 2
    assert f"process {driver.pid} on" in capsys.readouterr().err
    driver.kill()
    driver.join()
    assert main([*command, "--root", str(second)]) == 0
    study = optuna.load_study(study_name="sweep", storage=postgresql)
    assert Counter(trial.state.name for trial in study.trials) == {"COMPLETE": TRIALS}
    records = read(second / "sweeps" / "sweep" / "results.jsonl")
    assert [record.arm for record in records] == [f"trial_{number}" for number in range(TRIALS)]
    assert not (second / "sweeps" / "sweep" / "trial_0" / "seed_0").exists(), "made by the first"


def test_a_database_that_does_not_answer() -> None:
    pytest.importorskip("psycopg")
    gone = "postgresql+psycopg://somebody:secret@127.0.0.1:9/postgres"
    with pytest.raises(ConnectionError, match="cannot be used") as refused:
        open_storage(Path("nowhere"), gone)
    assert "secret" not in str(refused.value)
