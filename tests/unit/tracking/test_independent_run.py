"""Runs without a parent, side by side in one folder: each is sent by the process that drives it."""

from pathlib import Path

from filelock import FileLock

from moebench import tracking
from moebench.evidence.record import FIT
from moebench.evidence.record_files import beside
from moebench.tracking.server import open_store
from moebench.tracking.tracker import Tracker

from .fakes import FakeRun, Seen


def tracked(root: Path, run: FakeRun) -> Tracker:
    """A tracker of one run that always looks."""
    tracker = Tracker(lambda: open_store(root), "here", seconds=0)
    assert tracker.store, "it opens in a thread, for which no poll waits"
    tracker.open_run(run.folder)
    return tracker


def test_each_is_sent_by_its_own_process_and_none_is_interrupted(root: Path) -> None:
    folder = root / FIT / "single"
    runs = [FakeRun(folder, "one"), FakeRun(folder, "two"), FakeRun(folder, "two", seed=1)]
    trackers = []
    for run in runs:
        run.lines(0)
        trackers.append(tracked(root, run))
        trackers[-1].poll()
    seen = Seen(root)
    assert seen.parents == []
    assert len(seen.running()) == len(runs), "none took another for dead"
    runs[1].end()
    for tracker in trackers:
        tracker.poll()
    trackers[1].close({}, [])
    assert len(Seen(root).running()) == 2
    for tracker in (trackers[0], trackers[2]):
        tracker.close({}, [], status="KILLED")
    seen = Seen(root)
    states = {(r.data.tags["arm"], r.data.tags["seed"]): r.info.status for r in seen.children}
    assert states == {("one", "0"): "KILLED", ("two", "0"): "FINISHED", ("two", "1"): "KILLED"}
    assert len(seen.children) == len(runs)


def test_after_a_kill_it_is_continued(root: Path) -> None:
    run = FakeRun(root / FIT / "single")
    run.lines(0)
    tracked(root, run).poll()
    again = tracked(root, run)
    run.lines(1)
    again.poll()
    run.end()
    again.close({}, [])
    seen = Seen(root)
    assert [step for step, _, _ in seen.series("train/loss")] == [0, 1]
    assert seen.run().info.status == "FINISHED"


def test_track_sends_those_that_nobody_drives(root: Path) -> None:
    folder = root / FIT / "single"
    dead, driven = FakeRun(folder, "dead"), FakeRun(folder, "driven")
    FakeRun(folder, "untold").end()
    for run in (dead, driven):
        run.lines(0)
        tracked(root, run).poll()
    beside(driven.folder).mkdir()
    with FileLock(beside(driven.folder) / ".lock"):
        assert tracking.send(root) == tracking.Sent(new=1, busy=1)
    seen = Seen(root)
    assert [run.data.tags["arm"] for run in seen.running()] == ["driven"]
    assert seen.run("dead").data.tags["moebench.state"] == "interrupted"
    assert seen.parents == []
    assert tracking.send(root) == tracking.Sent(known=1)
    assert Seen(root).running() == []
