"""What a finished sweep hands to the claims of a paper: its trials by their points, and shares."""

import json
from pathlib import Path

import pytest

from moebench.evidence.record_files import write_all
from moebench.sweeps import evidence
from moebench.testing.verdicts import run


@pytest.mark.parametrize("first", [0, 1000])
def test_trials_get_the_names_of_their_points(tmp_path: Path, first: int) -> None:
    points = [{"weight": 0.0}, {"weight": 0.001}]
    summary = {
        "trials": [{"number": n, "point": point} for n, point in enumerate(points)],
        "seeds": 2,
        **({"first_seed": first} if first else {}),  # as it was before there was such a key
        "importances_by_seed": {f"{first}": {"weight": 0.7}, f"{first + 1}": {"weight": 0.6}},
    }
    (tmp_path / "sweep.json").write_text(json.dumps(summary))
    records = [
        run(f"trial_{n}", seed, n, target="sweeps", seconds=2.0)
        for n in (0, 1)
        for seed in (first, first + 1)
    ]
    others = [run("dense_active_flops"), run("trial_1", first + 2)]  # not of the search
    write_all([*records, *others], tmp_path / "results.jsonl")
    found = evidence(tmp_path, "front", "paper", "quick")
    assert {(one.target, one.profile) for one in found} == {("paper", "quick")}
    assert [one.arm for one in found] == ["front/0"] * 2 + ["front/0.001"] * 2 + ["front"] * 2
    assert [one.metrics.get("share/weight") for one in found[-2:]] == [0.7, 0.6]
    assert [one.arm for one in found if one.steps] == ["front/0"] * 2 + ["front/0.001"] * 2
    assert sum(one.seconds for one in found) == sum(one.seconds for one in records)
