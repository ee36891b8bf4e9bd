"""What a finished sweep hands to the claims of a paper: its trials by their points, and shares."""

import json
from pathlib import Path

from moebench.evidence.record_files import write_all
from moebench.sweeps import evidence
from moebench.testing.verdicts import run


def test_trials_get_the_names_of_their_points(tmp_path: Path) -> None:
    points = [{"weight": 0.0}, {"weight": 0.001}]
    summary = {
        "trials": [{"number": n, "point": point} for n, point in enumerate(points)],
        "seeds": 2,
        "importances_by_seed": {"0": {"weight": 0.7}, "1": {"weight": 0.6}},
    }
    (tmp_path / "sweep.json").write_text(json.dumps(summary))
    records = [
        run(f"trial_{n}", seed, n, target="sweeps", seconds=2.0) for n in (0, 1) for seed in (0, 1)
    ]
    others = [run("dense_active_flops"), run("trial_1", 1000)]  # not of the search
    write_all([*records, *others], tmp_path / "results.jsonl")
    found = evidence(tmp_path, "front", "paper", "quick")
    assert {(one.target, one.profile) for one in found} == {("paper", "quick")}
    assert [one.arm for one in found] == ["front/0"] * 2 + ["front/0.001"] * 2 + ["front"] * 2
    assert [one.metrics.get("share/weight") for one in found[-2:]] == [0.7, 0.6]
    assert [one.arm for one in found if one.steps] == ["front/0"] * 2 + ["front/0.001"] * 2
    assert sum(one.seconds for one in found) == sum(one.seconds for one in records)
