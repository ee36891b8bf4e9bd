"""What runs say is shown once, however many of them say it."""

from pathlib import Path

import pytest

from moebench.run.execution import Execution
from moebench.run.function import Function
from moebench.run.job import Job
from moebench.run.job_list import run_all
from moebench.run.messages import Messages, message_path

SPEAKS = """
import logging

def once():
    logging.getLogger("moebench.anything").warning("the same of all")
    logging.getLogger("moebench.anything").info("not worth a line")
    return {"value": 1.0}
"""


def job(folder: Path, arm: str, reference: str = "math:sqrt", seed: int = 0) -> Job:
    return Job("t", "quick", arm, seed, Function(reference), folder / arm / f"seed_{seed}")


def test_runs_that_say_the_same_are_heard_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also a run that ends before anybody looks, and none of what an earlier attempt said."""
    (tmp_path / "speaks.py").write_text(SPEAKS)
    monkeypatch.syspath_prepend(tmp_path)
    names = [("first", 0), ("first", 1), ("second", 0)]
    jobs = [job(tmp_path, arm, "speaks:once", seed) for arm, seed in names]
    message_path(jobs[0]).parent.mkdir()
    message_path(jobs[0]).write_text("of an earlier attempt\n")
    records = run_all(jobs, Execution(), lambda *_: None)
    assert [record.status for record in records] == ["finished"] * 3
    assert capfd.readouterr().err == "first: the same of all\n"
    assert message_path(jobs[2]).read_text() == "the same of all\n"


def test_a_line_is_shown_when_it_is_whole(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, silent, messages = job(tmp_path, "one"), job(tmp_path, "silent"), Messages()
    message_path(one).parent.mkdir()
    message_path(one).write_bytes("half a li\N{EM DASH}".encode()[:-1])
    messages.show([one, silent])
    assert capsys.readouterr().err == ""
    message_path(one).write_text("half a line\nand another\n")
    messages.show([one, silent])
    assert capsys.readouterr().err == "one: half a line\none: and another\n"
    messages.show([one, silent])
    assert capsys.readouterr().err == ""
