"""A row is flagged if a mixture or its twin misses the cost that they were to share."""

from pathlib import Path
from typing import Any

import pytest

from moebench.comparison import compare
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_all
from moebench.papers import Target
from moebench.papers.claim import Claim, Paper
from moebench.papers.plan import Arm, Plan, Profile
from moebench.report import markdown_costs, render
from moebench.report.comparison.page import comparison_text
from moebench.report.paper.verdict_table import table
from moebench.run.plan_jobs import resolve
from moebench.testing import verdicts
from moebench.tracking import Logged
from moebench.verdict import judge
from moebench.verdict.comparisons import Difference
from moebench.verdict.planned import off_plan

TIME = {"seconds_per_step": 0.5}


def run(arm: str, flops: float = 100.0, seed: int = 0, **changes: Any) -> RunRecord:
    dense = arm == "dense"
    sizes = {"params_total": 30 if dense else 90, "params_active": 30, "flops_per_token": flops}
    given = {**sizes, "data_hash": "d", **changes}
    return verdicts.run(arm, seed, 2.0 if dense else 1.9, **given)


def planned(arm: str, flops: float, **changes: Any) -> RunRecord:
    return run(arm, flops, planned={"flops_per_token": 100.0}, **changes)


@pytest.mark.parametrize("flops", [95.1, 100.0, 104.9])
def test_costs_within_five_per_cent_are_as_planned(flops: float) -> None:
    assert off_plan({"dense": [planned("dense", flops)]}) == {"dense": {}}


@pytest.mark.parametrize("flops", [90.0, 107.5])
def test_costs_beyond_five_per_cent_are_not(flops: float) -> None:
    found = off_plan({"dense": [planned("dense", flops)], "else": [run("else", flops)]})
    assert found == {"dense": {"flops_per_token": pytest.approx(flops / 100)}, "else": {}}


def test_the_mean_over_seeds_counts() -> None:
    assert not off_plan({"a": [planned("a", 90.0), planned("a", 108.0, seed=1)]})["a"]


def test_a_time_is_compared_with_its_equal_and_not_with_the_plan() -> None:
    """Both took twice the planned time, because other work was running."""
    mixture = run("sparse", planned=TIME)
    fair, slow = (run("dense", planned=TIME, tokens_per_second=10 / s) for s in (1.09, 1.2))
    assert off_plan({"sparse": [mixture], "dense": [fair]}) == {"sparse": {}, "dense": {}}
    found = off_plan({"sparse": [mixture], "dense": [slow], "other": [run("other")]})
    assert found["dense"] == {"seconds_per_step": pytest.approx(1.2)}
    assert found["sparse"] == {"seconds_per_step": pytest.approx(1 / 1.2)}
    assert not found["other"]
    elsewhere = run("dense", planned=TIME, tokens_per_second=5.0, hardware={"cores": 4})
    assert off_plan({"sparse": [mixture], "dense": [elsewhere]})["dense"] == {}


def test_the_row_of_a_published_table_says_so() -> None:
    _, _, mixture, dense = markdown_costs([planned("sparse", 100), planned("dense", 108)]).split(
        "\n"
    )
    assert "plan" not in mixture
    assert "| 108 (×1.08 of plan) |" in dense


CLAIM = Claim(
    key="X-01",
    says="sparse beats dense",
    source="",
    paper_values={},
    test=Difference(first="sparse", second="dense", margin=0.1),
    matched_on="active_flops",
    seeds=2,
)
OFF = [
    *(planned("sparse", 100.0, seed=seed) for seed in range(2)),
    *(planned("dense", 107.5, seed=seed) for seed in range(2)),
]


def test_the_table_of_verdicts_says_so() -> None:
    lines = table(judge([CLAIM], OFF, "full")).splitlines()
    assert lines[-1] == "! dense: FLOPs x1.07 of what was planned"
    assert "!" not in table(judge([CLAIM], [run("sparse"), run("dense")], "full"))


def test_a_page_says_so_below_the_verdict_and_among_the_costs(tmp_path: Path) -> None:
    write_all(OFF, tmp_path / "results.jsonl")
    paper = Paper(key="p", title="Sparse", authors="A. Nobody", year=2021, arxiv="")
    page = render(tmp_path, paper, [CLAIM], judge([CLAIM], OFF, "full"), {})
    below, costs = page.split('<section aria-labelledby="costs">')
    assert below.count("(×1.07 of plan)") == 1
    assert costs.count("(×1.07 of plan)") == 1


def test_a_comparison_says_so() -> None:
    runs = [planned("sparse", 100.0), planned("dense", 107.5)]
    text = comparison_text(compare([Logged(one, 0.0, {}, {}) for one in runs]))
    assert "time, not FLOPs as planned (×0.93)" in " ".join(text.split())
    alike = [planned("sparse", 100.0), planned("dense", 104.0)]
    assert "planned" not in comparison_text(compare([Logged(one, 0.0, {}, {}) for one in alike]))


def test_both_arms_of_a_reproduction_know_the_plan(tiny) -> None:
    small = {**tiny.settings(), "trainer.accelerator": "cpu"}
    profile = Profile("smoke", ["sparse", "dense"], 1, {})
    plan = Plan(
        [Arm("sparse", ["switch_8.yaml"]), Arm("dense", ["switch_8.yaml"], twin_of="sparse")],
        [profile],
        {},
    )
    paper = Paper(key="p", title="Sparse", authors="A. Nobody", year=2021, arxiv="")
    configs = Path(__file__).parents[2] / "configs" / "tiny_2026"
    experiments, planned = resolve(Target(paper, [], plan, configs, Path()), profile, small)
    assert set(experiments) == set(planned) == {"sparse", "dense"}
    assert planned["sparse"] == planned["dense"]
    assert list(planned["sparse"]) == ["flops_per_token"]
