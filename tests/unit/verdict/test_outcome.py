"""What a verdict says besides its label: its power, its cautions, and why nothing was judged."""

import json
from dataclasses import replace

import pytest

from moebench.evidence.record import FIRST_FRESH_SEED, tried
from moebench.papers.claim import VerdictLabel
from moebench.papers.plan import Arm, Plan, Profile
from moebench.testing.verdicts import run, runs
from moebench.verdict import judge
from moebench.verdict.comparisons import Difference

from .fakes import BETTER, claim, differing, judged


def test_an_inconclusive_verdict_says_how_many_seeds_it_takes() -> None:
    found = judged(differing(0.5, -0.5, 0.0), test=Difference(first="a", second="b", margin=0.25))
    assert found.power is not None
    assert found.power["seeds_needed"] == 34  # effect of half a standard deviation
    assert "detecting an effect as large as the margin with 80% power takes 34 seeds" in found.why


def test_a_caution_is_part_of_every_explanation() -> None:
    assert "; trained in bfloat16." in judged(BETTER, caution="trained in bfloat16").why


@pytest.mark.parametrize(
    ("versions", "told"),
    [
        ([None, None, None], "changed to version 2 after its runs were made"),
        ([{"X-01": 2}, {"X-01": 2}, {"X-01": 2}], ""),
        ([{"X-01": 2}, {"X-01": 1}, {}], "changed to version 2 after 4 of its 6 runs were made"),
    ],
)
def test_a_claim_changed_after_its_runs_says_so(
    versions: list[dict[str, int] | None], told: str
) -> None:
    records = [replace(one, claims=versions[one.seed]) for one in BETTER]
    assert judged(records, version=2).caution == told


def test_a_claim_filed_after_its_runs_says_so() -> None:
    assert judged(BETTER).caution == ""
    assert judged(BETTER, late=True).caution == "filed after its runs were made"
    unlisted = [replace(one, claims={}) for one in BETTER]
    assert judged(unlisted).caution == "filed after its runs were made"
    assert judged(BETTER, late=True, version=2).caution == "filed after its runs were made"
    assert judged(BETTER, version=2, level="arithmetic").caution == ""


def test_points_of_a_sweep_on_seeds_of_trials_say_so() -> None:
    told = "judged on seeds below 1000, which trials may have used"
    test = Difference(first="grid/1", second="grid/2", margin=0.1)
    points = [replace(one, arm={"a": "grid/1", "b": "grid/2"}[one.arm]) for one in BETTER]
    assert judged(points, test=test).caution == told
    fresh = [replace(one, seed=one.seed + FIRST_FRESH_SEED) for one in points]
    assert judged(fresh, test=test).caution == ""
    assert judged([*fresh[:-1], points[-1]], test=test).caution == told


def test_shares_of_a_sweep_on_seeds_of_trials_say_so() -> None:
    assert tried(run("grid", 0, metrics={"share/weight": 0.5}))
    assert not tried(run("grid", FIRST_FRESH_SEED, metrics={"share/weight": 0.5}))
    assert not tried(run("computed", 0))


PLAN = Plan(
    [Arm(name, []) for name in "abc"],
    [
        Profile("smoke", ["a", "b", "c"], 1, {}),
        Profile("quick", ["a"], 3, {}, computed=[]),
        Profile("full", ["a", "b"], 5, {}, computed=["sums"]),
        Profile("gpu", ["a", "b", "c"], 5, {}, sweeps={"grid": {}}),
    ],
    {},
    computed={"sums": "m:f", "others": "m:g"},
    sweeps={"grid": "grid.yaml"},
)


@pytest.mark.parametrize(
    ("profile", "second", "word", "why"),
    [
        ("quick", "b", VerdictLabel.NEEDS_FULL, "in the profile quick; the profile full has them."),
        ("quick", "c", VerdictLabel.NEEDS_GPU, "in the profile quick; the profile gpu has them."),
        ("full", "c", VerdictLabel.NEEDS_GPU, "in the profile full; the profile gpu has them."),
        ("full", "b", VerdictLabel.NEEDS_FULL, "in the profile full yet."),
        ("gpu", "c", VerdictLabel.NEEDS_GPU, "in the profile gpu yet."),
        (
            "quick",
            "sums",
            VerdictLabel.NEEDS_FULL,
            "in the profile quick; the profile full has them.",
        ),
        (
            "full",
            "grid/1",
            VerdictLabel.NEEDS_GPU,
            "in the profile full; the profile gpu has them.",
        ),
    ],
)
def test_the_profile_that_has_the_runs_is_named(
    profile: str, second: str, word: VerdictLabel, why: str
) -> None:
    test = Difference(first="a", second=second)
    records = [run("a", 0, 1.0, profile=profile)]
    (found,) = judge([claim(test=test)], records, profile, plan=PLAN)
    assert (found.verdict, found.why) == (word, f"No runs of {second} {why}")
    assert found.costs["a"]["params_total"] == 40
    assert found.effect is None


def test_smoke_never_yields_a_verdict() -> None:
    records = [run("a", 0, 1.0, profile="smoke"), run("b", 0, 1.0, profile="smoke")]
    (found,) = judge([claim()], records, "smoke")
    assert found.verdict is VerdictLabel.NEEDS_FULL
    assert "smoke" in found.why


def test_other_profiles_do_not_count() -> None:
    (found,) = judge([claim()], BETTER, "quick")
    assert found.verdict is VerdictLabel.NEEDS_FULL


@pytest.mark.parametrize(
    ("out_of_reach", "word"),
    [(True, VerdictLabel.NOT_TESTABLE), (False, VerdictLabel.NOT_IMPLEMENTED)],
)
def test_a_claim_without_a_test_says_why(out_of_reach: bool, word: VerdictLabel) -> None:
    found = judged([], test=None, because="No data.", out_of_reach=out_of_reach)
    assert (found.verdict, found.why) == (word, "No data.")


def test_runs_of_another_target_judge_a_claim_that_names_it() -> None:
    claims = [claim(), claim(key="X-02", runs_of="other")]
    worse = differing(1.0, 1.1, 0.9)
    first, second = judge(claims, BETTER, "full", {"other": worse})
    assert (first.verdict, second.verdict) == (VerdictLabel.REPRODUCED, VerdictLabel.NOT_REPRODUCED)
    assert (first.runs_of, second.runs_of) == ("", "other")
    _, without = judge(claims, BETTER, "full")
    assert without.verdict is VerdictLabel.NEEDS_FULL
    assert without.why == "No runs of a, b in the profile full of other."


def test_json_has_no_infinities() -> None:
    for records in (BETTER, BETTER[:1], runs(a=[1.0], b=[2.0]), []):
        entry = judged(records).to_json()
        assert json.loads(json.dumps(entry, allow_nan=False)) == entry
        assert set(entry) >= {
            *("claim", "version", "verdict", "effect", "low", "high", "n", "p_adjusted"),
            *("paper_values", "measured", "matched_on", "costs", "why", "power", "preliminary"),
            *("controls", "unequal", "of_paper", "replicate", "runs_of"),
        }
