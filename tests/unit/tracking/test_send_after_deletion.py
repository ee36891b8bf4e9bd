"""What somebody has deleted in MLflow meanwhile is made again, and no run is left an orphan."""

from pathlib import Path

from moebench import tracking

from .fakes import FakeRun, Seen


def sent(root: Path) -> Seen:
    """What MLflow has of two runs that were sent."""
    for seed in (0, 1):
        FakeRun(root / "paper_2021" / "quick", seed=seed).end()
    tracking.send(root)
    return Seen(root)


def check_whole(root: Path) -> None:
    """Check that both runs are there once, under the one parent."""
    seen = Seen(root)
    [parent] = seen.parents
    assert {run.data.tags["mlflow.parentRunId"] for run in seen.children} == {parent.info.run_id}
    assert sorted(run.data.tags["seed"] for run in seen.children) == ["0", "1"]
    assert tracking.send(root) == tracking.Sent(known=2)


def test_a_deleted_parent(root: Path) -> None:
    before = sent(root)
    before.client.delete_run(before.parents[0].info.run_id)
    told = "0 runs sent to MLflow, 2 were there already; 2 had lost their parent and have a new one"
    assert str(tracking.send(root)) == told
    check_whole(root)


def test_a_deleted_run(root: Path) -> None:
    before = sent(root)
    before.client.delete_run(before.children[0].info.run_id)
    assert tracking.send(root) == tracking.Sent(new=1, known=1)
    check_whole(root)


def test_a_deleted_experiment(root: Path) -> None:
    before = sent(root)
    before.client.delete_experiment(before.parents[0].info.experiment_id)
    tracking.send(root)
    check_whole(root)
