"""Units of work on a GPU: their outcomes, their time limits, and what is never repeated."""

import json
import time
from pathlib import Path

import pytest
import torch

from benchmarks.gpu import folder as folders
from benchmarks.gpu.clock import Clock, OutOfTime, within
from benchmarks.gpu.folder import Folder, read
from benchmarks.gpu.items import Item, Missing, Outcome, attempt, needs
from benchmarks.gpu.session import Session

MACHINE = {"card": "one", "torch": "2"}


def item(name: str = "a", kind: str = "", seconds: float = 1.0, measure=dict) -> Item:
    return Item("parity", name, kind or name, seconds, measure)


def test_a_clock_counts_down_and_is_shared() -> None:
    now = [100.0]
    clock = Clock(60, lambda: now[0])
    part, shorter = clock.part(0.25), clock.shorter(10)
    now[0] += 12
    assert (clock.left, part.left, shorter.left) == (48, 3, 38)
    now[0] += 100
    assert (clock.left, part.left, shorter.left) == (0, 0, 0)


def test_items_that_take_too_long_are_stopped() -> None:
    started = time.monotonic()
    with pytest.raises(OutOfTime), within(0.05):
        time.sleep(30)
    assert time.monotonic() - started < 10
    with within(60):
        pass
    time.sleep(0.06)  # no alarm is left behind


def raises(error: Exception):
    def measure(*_: object) -> None:
        raise error

    return measure


def wait() -> dict:
    time.sleep(30)
    return {}


@pytest.mark.parametrize(
    ("measure", "status", "why"),
    [
        (lambda: {"x": 1}, "measured", ""),
        (raises(ValueError("two\nlines")), "failed", "ValueError: two lines"),
        (raises(Missing("not installed: x")), "missing", "not installed: x"),
        (raises(ModuleNotFoundError("No module named 'x'")), "missing", "No module named 'x'"),
        (raises(torch.OutOfMemoryError("full")), "out of memory", "OutOfMemoryError: full"),
        (wait, "cut", "stopped after 0 s"),
    ],
)
def test_every_error_becomes_an_outcome(measure, status: str, why: str) -> None:
    outcome = attempt(item(measure=measure), 0.2)
    assert (outcome.status, outcome.why) == (status, why)
    assert outcome.found == ({"x": 1} if status == "measured" else {})


def test_a_missing_package_is_named() -> None:
    needs("torch")
    with pytest.raises(Missing, match=r"^not installed: no_such_kernel, nor_this$"):
        needs("torch", "no_such_kernel", "nor_this")


@pytest.mark.parametrize(
    ("status", "finished"),
    [
        *(("measured", True), ("failed", True), ("out of memory", True)),
        *(("missing", False), ("cut", False)),
    ],
)
def test_finished_items_are_not_repeated(tmp_path: Path, status: str, finished: bool) -> None:
    folder = Folder(tmp_path, MACHINE)
    assert not folder.finished(item())
    folder.add(item(), Outcome(status, 1.0))
    for later in (folder, Folder(tmp_path, MACHINE)):
        assert later.finished(item()) is finished
        assert not later.finished(item("b"))


def test_changed_code_is_measured_again(tmp_path: Path, monkeypatch) -> None:
    Folder(tmp_path, MACHINE).add(item(), Outcome("measured", 1.0))
    monkeypatch.setattr(folders, "source_of", lambda stage: "another")
    assert not Folder(tmp_path, MACHINE).finished(item())


def test_stages_have_their_own_digests() -> None:
    assert folders.source_of("parity") != folders.source_of("layer")


def test_estimates_come_from_items_of_the_kind(tmp_path: Path) -> None:
    folder = Folder(tmp_path, MACHINE)
    assert folder.estimate(item("a", "k", 7.0)) == 7.0
    folder.add(item("b", "k"), Outcome("measured", 10.0))
    folder.add(item("c", "k"), Outcome("failed", 99.0))
    folder.add(item("d", "other"), Outcome("measured", 50.0))
    assert folder.estimate(item("a", "k", 7.0)) == pytest.approx(13.0)
    folder.add(item("a", "k"), Outcome("cut", 20.0))  # it takes longer than that
    assert folder.estimate(item("a", "k", 7.0)) == 40.0


def test_a_folder_continues_another(tmp_path: Path) -> None:
    earlier, now = Folder(tmp_path / "1", MACHINE), Folder(tmp_path / "2", MACHINE)
    earlier.add(item("a"), Outcome("measured", 1.0))
    earlier.add(item("b"), Outcome("measured", 1.0))
    now.add(item("a"), Outcome("measured", 3.0))
    now.add(item("b"), Outcome("cut", 3.0))
    now.take(earlier.path)
    assert now.estimate(item("c", "a")) == pytest.approx(3.9)  # its own, not the earlier one
    assert now.finished(item("b"))


def edited(path: Path, **changes: object) -> None:
    line = json.loads(path.read_text())
    path.write_text(json.dumps({**line, **changes}) + "\n")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": "0.0.1"}, "measured by version 0.0.1 of moebench"),
        ({"format": 0}, "written in format 0"),
        ({"machine": {**MACHINE, "card": "two"}}, r"another machine \(card two, now one\)"),
    ],
)
def test_a_folder_from_elsewhere_is_refused(tmp_path: Path, changes, told: str) -> None:
    Folder(tmp_path, MACHINE).add(item(), Outcome("measured", 1.0))
    edited(tmp_path / "items.jsonl", **changes)
    with pytest.raises(ValueError, match=told) as refused:
        Folder(tmp_path, MACHINE)
    assert "\n" not in str(refused.value)


def test_an_invalid_record_is_refused_with_its_line(tmp_path: Path) -> None:
    Folder(tmp_path, MACHINE).add(item(), Outcome("measured", 1.0))
    path = tmp_path / "items.jsonl"
    path.write_text(path.read_text() + '{"format": 1}\n')
    with pytest.raises(ValueError, match=r"items\.jsonl:2: not a record"):
        list(read(path))


def test_a_stage_that_fails_is_recorded(tmp_path: Path, capsys) -> None:
    session = Session(Folder(tmp_path, MACHINE), torch.device("cpu"), Clock(20))
    session.go_through(raises(RuntimeError("no card\nany more")))
    [line] = read(tmp_path / "items.jsonl")
    assert (line["status"], line["why"]) == ("failed", "RuntimeError: no card any more")
    assert "no card any more" in capsys.readouterr().out


def test_a_session_measures_what_fits_and_saves_it_at_once(tmp_path: Path, capsys) -> None:
    done: list[str] = []

    def noted(name: str):
        def measure() -> dict:
            done.append(name)
            return {"written before": (tmp_path / "items.jsonl").exists()}

        return measure

    session = Session(Folder(tmp_path, MACHINE), torch.device("cpu"), Clock(20))
    work = [item("a", measure=noted("a")), item("b", seconds=30.0), item("c", measure=noted("c"))]
    session.work_on(work)
    assert done == ["a", "c"]
    assert [line["found"] for line in read(tmp_path / "items.jsonl")] == [
        {"written before": False},
        {"written before": True},
    ]
    assert "no time for 1 more" in capsys.readouterr().out
    session.work_on(work)
    assert done == ["a", "c"]
