"""A disk that is full ends a command in one line, and costs no finished run."""

import errno
import sqlite3
from pathlib import Path

import pytest

from moebench.cli.guard import line_of
from moebench.run.execution import Execution
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.run.job_list import run_all

NUMBERS = '''
"""One number."""
from pathlib import Path

def plain():
    return {"number": 1.0}

def written():
    if not Path("room").exists():
        raise RuntimeError("while it was written") from OSError(28, "No space left on device")
    return {"number": 2.0}
'''


def test_finished_runs_survive_and_the_rest_is_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "their_numbers_of_2026.py").write_text(NUMBERS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    jobs = [
        Job(
            "t", "p", name, 0, Function(f"their_numbers_of_2026:{name}"), tmp_path / name / "seed_0"
        )
        for name in ("plain", "written")
    ]
    with pytest.raises(OSError, match="No space left") as refused:
        run_all(jobs, Execution(), lambda *_: None)
    assert refused.value.errno == errno.ENOSPC
    assert "Traceback" not in capfd.readouterr().err
    assert [job.record_path.exists() for job in jobs] == [True, False]
    before = jobs[0].record_path.stat().st_mtime_ns
    (tmp_path / "room").touch()
    records = run_all(jobs, Execution(), lambda *_: None)
    assert [record.metrics["number"] for record in records] == [1.0, 2.0]
    assert jobs[0].record_path.stat().st_mtime_ns == before


def test_a_database_that_finds_no_room_is_told_as_such() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("pragma max_page_count = 1")
    with pytest.raises(sqlite3.OperationalError) as full:
        connection.execute("create table too_much (number)")
    refusal = ConnectionError("MLflow cannot be reached")
    assert "make room" not in line_of(refusal)
    refusal.__cause__ = full.value
    assert line_of(refusal).endswith("make room, and the same command goes on")
