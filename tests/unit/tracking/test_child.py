"""A run in MLflow, while it grows and after a kill."""

import json
from pathlib import Path

import pytest

from moebench.tracking.store import METRICS

from .fakes import CONFIG, FakeRun, Seen, begin


def test_every_line_is_sent_once_with_its_step_and_time(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    tracker.poll()
    assert Seen(root).children == []  # not begun yet
    run.lines(0, 20)
    tracker.poll()
    tracker.poll()
    assert Seen(root).run().info.status == "RUNNING"
    run.lines(40)
    tracker.poll()
    seen = Seen(root)
    assert seen.series("train/loss") == [(0, 0, 1000000), (20, 2, 1020000), (40, 4, 1040000)]
    assert set(seen.run().data.metrics) == {"train/loss"}
    assert seen.run().info.start_time == 1000000


def test_a_run_says_what_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    tracker, folder = begin(root)
    FakeRun(folder, seed=3, note="x" * 7000).lines(0)
    tracker.poll()
    seen = Seen(root)
    tags = seen.run().data.tags
    [parent] = seen.parents
    assert tags["mlflow.parentRunId"] == parent.info.run_id
    assert {name: tags[name] for name in ("target", "profile", "arm", "seed")} == {
        "target": "paper_2021",
        "profile": "quick",
        "arm": "switch",
        "seed": "3",
    }
    assert parent.data.tags["workers"] == "2"
    assert seen.run().data.params["model.router.init_args.factor"] == "1.25"
    assert seen.run().data.params["note"] == "x" * 6000


def test_a_name_that_mlflow_does_not_take_is_no_reason_to_stop(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    line = {"step": 0, "time": 1.0, "route/entropy(1)": 2.0, "train/loss": float("nan")}
    (run.folder / "history.jsonl").write_text(json.dumps(line) + "\n")
    tracker.poll()
    assert Seen(root).run().data.metrics == {"route/entropy_1_": 2.0, "diverged": 1.0}
    assert caplog.messages == []


def test_more_points_than_one_request_takes(root: Path) -> None:
    tracker, folder = begin(root)
    FakeRun(folder).lines(*range(METRICS + 1))
    tracker.poll()
    assert [step for step, _, _ in Seen(root).series("train/loss")] == list(range(METRICS + 1))


def test_the_record_ends_the_run_with_results_costs_and_data(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    run.end()
    tracker.poll()
    seen = Seen(root).run()
    assert seen.data.metrics == {
        "train/loss": 0.0,
        "final/valid/loss": 3.5,
        "final/route/dropped": 0.25,
        "cost/steps": 100,
        "cost/tokens": 100,
        "cost/params_total": 1000,
        "cost/params_active": 20,
        "cost/flops_per_token": 100.0,
        "cost/tokens_per_second": 10.0,
        "cost/seconds": 2.5,
    }
    [data] = seen.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("Text", "d" * 36)
    assert seen.data.tags["mlflow.source.git.commit"] == "abc123"
    assert seen.data.tags["version.torch"] == "2.13"
    ended = (run.folder / "record.json").stat().st_mtime
    assert seen.info.end_time == pytest.approx(ended * 1000, abs=1)


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("finished", "FINISHED"),
        ("pruned", "KILLED"),
        ("diverged", "FAILED"),
        ("out_of_memory", "FAILED"),
        ("failed", "FAILED"),
    ],
)
def test_how_a_run_ended(state: str, status: str, root: Path) -> None:
    tracker, folder = begin(root)
    FakeRun(folder).end(state, metrics={})
    tracker.poll()
    run = Seen(root).run()
    assert run.info.status == status
    assert run.data.tags["moebench.state"] == state
    assert run.data.metrics.get("diverged", 0) == (state == "diverged")


def test_a_new_tracker_goes_on_with_the_runs_of_a_dead_one(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0, 20, 40)
    tracker.poll()
    first = Seen(root)
    tracker, _ = begin(root)  # the other one was killed
    assert Seen(root).run().info.status == "KILLED"
    # The worker goes on from its checkpoint at step 20 and repeats what came after it.
    (run.folder / "history.jsonl").unlink()
    run.lines(0)
    run.lines(20, 40, 60, start=5000.0)
    tracker.poll()
    seen = Seen(root)
    assert seen.run().info.run_id == first.run().info.run_id
    assert seen.run().info.status == "RUNNING"
    assert seen.parents[0].info.run_id == first.parents[0].info.run_id
    assert [step for step, _, _ in seen.series("train/loss")] == [0, 20, 40, 60]
    run.end()
    tracker.close({}, [])
    assert Seen(root).run().info.status == "FINISHED"
    assert Seen(root).running() == []


def test_an_interrupted_run_of_other_data_is_another_run(root: Path) -> None:
    """Their configuration says the same of both, for a text was edited."""
    tracker, folder = begin(root)
    run = FakeRun(folder)
    (run.folder / "identity").write_text("of the text as it was\n")
    run.lines(0, 20, 40)
    tracker.poll()
    tracker, _ = begin(root)  # the other one was killed
    (folder / "switch" / "earlier" / "text-0123").mkdir(parents=True)
    run.folder.rename(folder / "switch" / "earlier" / "text-0123" / "seed_0")
    other = FakeRun(folder)
    (other.folder / "identity").write_text("of the text as it is\n")
    other.lines(0, start=5000.0)
    tracker.poll()
    found = Seen(root).children
    assert sorted(one.data.metrics["train/loss"] for one in found) == [0.0, 4.0]
    assert len({one.data.tags["moebench.config"] for one in found}) == 2


def test_a_tracker_killed_before_its_last_word_does_not_repeat_the_others(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    run.end()
    tracker.poll()
    seen = Seen(root)
    before = seen.run()
    seen.client.delete_tag(before.info.run_id, "moebench.record")  # as if killed before it
    seen.client.update_run(before.info.run_id, "RUNNING")
    tracker, _ = begin(root)
    tracker.close({}, [])
    after = Seen(root)
    assert after.run().info.run_id == before.info.run_id
    assert after.run().info.status == "FINISHED"
    assert len(after.series("final/valid/loss")) == len(after.series("train/loss")) == 1


def test_another_configuration_in_the_folder_is_another_run(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0, 20)
    tracker.poll()
    old = Seen(root).run().info.run_id
    run.configure({**CONFIG, "seed_everything": 7})
    (run.folder / "history.jsonl").unlink()
    run.lines(0)
    tracker.poll()
    assert {r.info.run_id == old: r.info.status for r in Seen(root).children} == {
        True: "KILLED",
        False: "RUNNING",
    }
    tracker.close({}, [], status="KILLED")
    assert Seen(root).running() == []


def test_a_failed_run_made_again_is_another_run(root: Path) -> None:
    tracker, folder = begin(root)
    run = FakeRun(folder)
    run.lines(0)
    run.end("failed")
    tracker.poll()
    (run.folder / "record.json").unlink()
    tracker.poll()
    run.lines(20)
    run.end("finished")
    tracker.poll()
    tracker.poll()
    states = sorted(run.data.tags["moebench.state"] for run in Seen(root).children)
    assert states == ["failed", "finished"]
