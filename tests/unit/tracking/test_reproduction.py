"""The runs of a reproduction together: a look at all, and the end."""

import json
from pathlib import Path

from moebench.tracking.children import Partner
from moebench.tracking.reproduction import Reproduction
from moebench.tracking.server import open_store

from .fakes import DENSE, FakeRun, Seen, begin


def test_a_look_stops_after_its_seconds_and_the_next_goes_on(root: Path) -> None:
    folder = root / "paper_2021" / "quick"
    reproduction = Reproduction(open_store(root), folder, {})
    for seed in range(3):
        FakeRun(folder, seed=seed).lines(0)
    for count in (1, 2, 3):
        reproduction.update(seconds=0)
        assert len(Seen(root).children) == count


def test_the_end_links_the_dense_baseline_and_keeps_the_results(
    root: Path, empty_database: Path
) -> None:
    tracker, folder = begin(root)
    for arm in ("switch", "dense", "hash"):
        for seed in (0, 1):
            FakeRun(folder, arm, seed).end()
    FakeRun(folder, seed=2)  # never begun; its partner is
    FakeRun(folder, "dense", seed=2).end()
    verdicts: list[dict[str, object]]
    verdicts = [{"claim": str(n), "verdict": word} for n, word in enumerate(["partial"] * 2)]
    verdicts += [
        {"claim": "1n", "verdict": "control passed", "of_paper": False, "control_of": "1"},
        {"claim": "2", "verdict": "reproduced", "of_paper": False, "control_of": ""},
    ]
    (folder / "verdicts.json").write_text(json.dumps(verdicts))
    files = [folder / "verdicts.json", folder / "report.html"]
    tracker.close({"switch": DENSE, "dense": DENSE, "hash": Partner("gone", "steps")}, files)
    seen = Seen(root)
    runs = {(run.data.tags["arm"], run.data.tags["seed"]): run for run in seen.children}
    for index in ("0", "1"):
        tags = runs["switch", index].data.tags
        assert tags["dense_baseline"] == runs["dense", index].info.run_id
        assert tags["matched_on"] == "active_flops"
        assert "dense_baseline" not in runs["dense", index].data.tags
        assert "dense_baseline" not in runs["hash", index].data.tags
    [parent] = seen.parents
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics == {
        "verdicts/partial": 2,
        "controls/control passed": 1,
        "ours/reproduced": 1,
    }
    kept = [file.path for file in seen.client.list_artifacts(parent.info.run_id)]
    assert kept == ["verdicts.json"]
    assert parent.info.artifact_uri.startswith((empty_database.parent / "mlartifacts").as_uri())
    assert list(Path.cwd().iterdir()) == []


def test_a_reproduction_repeated_sends_nothing_twice(root: Path) -> None:
    for _ in range(2):
        tracker, folder = begin(root)
        if not folder.exists():
            FakeRun(folder).end()
        tracker.close({}, [])
    seen = Seen(root)
    assert len(seen.children) == len(seen.parents) == 1
