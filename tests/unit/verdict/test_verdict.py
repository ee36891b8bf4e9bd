"""The rules of judging: states, pairs, labels, Holm, and what is never judged."""

import json
from dataclasses import replace
from math import inf, nan, sqrt
from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, VerdictLabel
from moebench.papers.plan import Arm, Plan, Profile
from moebench.testing.verdicts import claim_of, run, runs, verdict_of
from moebench.verdict import Verdict, judge
from moebench.verdict.comparisons import Difference, Equivalence, Order
from moebench.verdict.remarks import Footnotes, printed_p, remarks

MARGIN = 0.1
T_2 = 4.302653  # of a 95% interval, with 2 degrees of freedom


def differing(*differences: float) -> list[RunRecord]:
    """Runs of a and b whose losses differ so much, a - b, seed by seed."""
    return runs(a=[2 + d for d in differences], b=[2.0] * len(differences))


def claim(**changes: Any) -> Claim:
    test = Difference(first="a", second="b", margin=MARGIN)
    return claim_of(**{"test": test, **changes})


def judged(records: list[RunRecord], **changes: Any) -> Verdict:
    return verdict_of(claim(**changes), records)


def two_sided(t: float) -> float:
    """The two-sided p of Student's t with 2 degrees of freedom."""
    return 1 - t / sqrt(2 + t * t)


# Differences -1.0, -1.1, -0.9: mean -1 and standard deviation 0.1.
BETTER = runs(a=[1.0, 1.9, 2.6], b=[2.0, 3.0, 3.5])


def test_a_difference_by_hand() -> None:
    found = judged(BETTER)
    half = T_2 * 0.1 / sqrt(3)
    assert found.verdict is VerdictLabel.REPRODUCED
    assert (found.n, found.interval, found.unit, found.preliminary) == (3, "t", "nats", False)
    assert found.effect == pytest.approx(-1.0)
    assert found.low == pytest.approx(-1.0 - half, abs=1e-6)
    assert found.high == pytest.approx(-1.0 + half, abs=1e-6)
    # The p is that of the effect not passing half of the margin.
    t = (1.0 - MARGIN / 2) / (0.1 / sqrt(3))
    assert found.p == found.p_adjusted == pytest.approx(two_sided(t))
    assert found.measured["a"] == {
        "mean": pytest.approx(5.5 / 3),
        "sd": pytest.approx(0.80208, abs=1e-5),
        "n": 3,
        "failed": {},
    }


@pytest.mark.parametrize(
    ("differences", "word", "told"),
    [
        ([-1.0, -1.1, -0.9], VerdictLabel.REPRODUCED, "holds, "),
        ([-1.0, -1.0, -1.0], VerdictLabel.REPRODUCED, "holds, -1 nats"),
        # Interval from -0.135 to -0.085: past half of the margin, and the estimate past all of it.
        ([-0.11, -0.12, -0.10], VerdictLabel.REPRODUCED, "holds, "),
        # From -0.165 to -0.015: an effect, but of which size?
        (
            [-0.09, -0.12, -0.06],
            VerdictLabel.INCONCLUSIVE,
            "open (present; unclear whether it counts)",
        ),
        # From -0.184 to -0.036: the estimate counts, and the interval reaches below half.
        (
            [-0.11, -0.14, -0.08],
            VerdictLabel.INCONCLUSIVE,
            "open (present; unclear whether it counts)",
        ),
        ([0.5, -0.5, 0.0], VerdictLabel.INCONCLUSIVE, "open, "),
        # From -0.093 to -0.087: surely there, surely less than the margin.
        (
            [-0.09, -0.091, -0.089],
            VerdictLabel.NOT_REPRODUCED,
            "refuted (present, but too small to count)",
        ),
        (
            [-0.01, -0.011, -0.009],
            VerdictLabel.NOT_REPRODUCED,
            "refuted (present, but too small to count)",
        ),
        (
            [0.01, -0.01, 0.0],
            VerdictLabel.NOT_REPRODUCED,
            "refuted (no effect large enough to count)",
        ),
        (
            [0.0, 0.0, 0.0],
            VerdictLabel.NOT_REPRODUCED,
            "refuted (no effect large enough to count), 0 nats",
        ),
        ([1.0, 1.1, 0.9], VerdictLabel.NOT_REPRODUCED, "refuted (in the opposite direction)"),
    ],
)
def test_labels_of_a_difference(differences: list[float], word: VerdictLabel, told: str) -> None:
    lower = judged(differing(*differences))
    assert lower.verdict is word
    assert f"a has a lower valid/loss than b: {told}" in lower.why
    test = Difference(first="a", second="b", margin=MARGIN, direction="higher")
    higher = judged(differing(*(-d for d in differences)), test=test)
    assert higher.verdict is word
    assert higher.effect == pytest.approx(-(lower.effect or 0.0))


def test_without_a_margin_the_interval_lies_on_one_side_of_zero() -> None:
    test = Difference(first="a", second="b")
    assert judged(differing(-0.01, -0.011, -0.009), test=test).verdict is VerdictLabel.REPRODUCED
    assert judged(differing(0.01, 0.011, 0.009), test=test).verdict is VerdictLabel.NOT_REPRODUCED
    assert judged(differing(0.0, 0.0, 0.0), test=test).verdict is not VerdictLabel.REPRODUCED


@pytest.mark.parametrize(
    ("differences", "word"),
    [
        ([0.01, -0.01, 0.0], VerdictLabel.REPRODUCED),
        ([0.08, -0.08, 0.0], VerdictLabel.INCONCLUSIVE),  # from -0.2 to 0.2
        ([0.05, 0.06, 0.07], VerdictLabel.REPRODUCED),  # there, and inside
        ([0.3, 0.31, 0.29], VerdictLabel.NOT_REPRODUCED),
        ([-0.3, -0.31, -0.29], VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_labels_of_an_equivalence(differences: list[float], word: VerdictLabel) -> None:
    test = Equivalence(first="a", second="b", margin=MARGIN)
    assert judged(differing(*differences), test=test).verdict is word


def test_a_refutation_has_the_p_of_the_effect_counting() -> None:
    found = judged(differing(0.03, -0.03, 0.0))  # mean 0, standard deviation 0.03
    assert found.verdict is VerdictLabel.NOT_REPRODUCED
    assert found.p == pytest.approx(two_sided(MARGIN / (0.03 / sqrt(3))))


def test_a_side_that_does_not_hold_weakens_the_label_and_is_named() -> None:
    test = Order(ordered=("a", "b", "c"), lead=("a", "b"), margin=MARGIN)
    rows = runs(a=[1.0, 1.1, 0.9], b=[2.0] * 3, c=[2.0, 2.1, 1.9])
    found = judged(rows, test=test)
    assert found.verdict is VerdictLabel.PARTIAL
    assert "b has a lower valid/loss than c: open" in found.why
    assert found.effect == pytest.approx(-1.0), "the effect is that of the lead"
    all_hold = runs(a=[1.0, 1.1, 0.9], b=[2.0] * 3, c=[3.0, 3.1, 2.9])
    assert judged(all_hold, test=test).verdict is VerdictLabel.REPRODUCED
    lead_fails = runs(a=[2.0, 2.001, 1.999], b=[2.0] * 3, c=[3.0, 3.1, 2.9])
    assert judged(lead_fails, test=test).verdict is VerdictLabel.NOT_REPRODUCED


def test_pairs_are_formed_by_seed() -> None:
    # Unpaired the arms overlap wholly; paired the difference is -0.2 each time.
    records = runs(a=[1.0, 5.0, 9.0], b=[1.2, 5.2001, 9.1999])
    assert judged(list(reversed(records))).verdict is VerdictLabel.REPRODUCED


def test_unpaired_seeds_are_dropped_and_failures_named() -> None:
    records = [*BETTER, run("a", 7, 99.0), run("b", 8, 0.0, status="diverged", metrics={})]
    found = judged(records)
    assert (found.n, found.effect) == (3, pytest.approx(-1.0))
    assert found.measured["b"]["failed"] == {"diverged": 1}
    assert "1 of 4 runs of b: diverged" in found.why


def test_a_diverged_run_does_not_count_even_with_a_loss() -> None:
    assert judged([*BETTER, run("a", 3, 9.0, status="diverged"), run("b", 3, 1.0)]).n == 3


def test_one_pair_is_inconclusive() -> None:
    found = judged(runs(a=[1.0], b=[2.0]))
    assert found.verdict is VerdictLabel.INCONCLUSIVE
    assert (found.n, found.effect, found.low, found.p_adjusted) == (1, -1.0, None, None)
    assert "too few finished runs (1)" in found.why


def test_no_finished_run_is_inconclusive() -> None:
    found = judged([run("a", 0, 1.0), run("b", 0, 1.0, status="out_of_memory")])
    assert (found.verdict, found.effect, found.n) == (VerdictLabel.INCONCLUSIVE, None, 0)
    assert "1 of 1 runs of b: out of memory" in found.why


def test_identical_values_have_no_p_and_are_reported() -> None:
    test = Difference(first="a", second="b", margin=0.1)
    same = verdict_of(test, runs(a=[2.0] * 5, b=[3.0] * 5))
    assert (same.verdict, same.effect, printed_p(same)) == (VerdictLabel.REPRODUCED, -1.0, None)
    assert "holds, -1 nats, the same value 5 times; identical values have no spread" in same.why
    assert "p = 0" not in same.why
    assert "the same value 5 times" in remarks(same, Footnotes())
    few = verdict_of(claim_of(test, seeds=7), runs(a=[2.0] * 5, b=[3.0] * 5))
    assert few.preliminary
    noisy = verdict_of(test, runs(a=[2.0, 2.01, 1.99], b=[3.0] * 3))
    assert printed_p(noisy) == noisy.p_adjusted
    assert not any("the same" in told for told in remarks(noisy, Footnotes()))


def test_fewer_than_asked_are_preliminary_and_the_unit_is_named() -> None:
    found = judged(BETTER, seeds=5)
    assert (found.verdict, found.preliminary) == (VerdictLabel.REPRODUCED, True)
    assert "preliminary: 3 of 5 seeds" in found.why
    over_orders = judged(BETTER, seeds=20, replicate="speaker order")
    assert "preliminary: 3 of 20 speaker orders" in over_orders.why
    assert (over_orders.replicate, over_orders.asked) == ("speaker order", 20)


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


# What is not judged

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


# Many claims


def test_holm_over_the_statements_of_the_paper_that_have_a_p() -> None:
    weak = runs(c=[1.0, 1.0, 1.0], d=[1.3, 1.5, 1.1])
    claims = [
        claim(),
        claim(key="X-02", test=Difference(first="c", second="d")),
        claim(key="X-03", test=None, because="No data."),
        claim(key="X-04", ours=True),
        claim(key="X-01p", control_of="X-01", expects="effect"),
    ]
    first, second, *others = judge(claims, BETTER + weak, "full")
    assert (first.p_adjusted, second.p_adjusted) == (2 * (first.p or 0), second.p)
    assert [one.p_adjusted for one in others] == [None] * 3
    assert [one.of_paper for one in others] == [True, False, False]
    assert others[1].p == first.p
    assert "; p = 0.0037." in others[1].why


HOLDS = differing(-0.23, -0.17, -0.2)  # half the margin away: t = 8.66 and p = 0.013
REFUTED = differing(0.03, -0.03, 0.0)  # the margin away: t = 5.77 and p = 0.029


@pytest.mark.parametrize(
    ("records", "alone", "p"),
    [(HOLDS, VerdictLabel.REPRODUCED, 0.0131), (REFUTED, VerdictLabel.NOT_REPRODUCED, 0.0288)],
)
def test_a_claim_that_fails_holm_is_inconclusive_and_never_the_opposite(
    records: list[RunRecord], alone: VerdictLabel, p: float
) -> None:
    found = judged(records)
    assert (found.verdict, found.p) == (alone, pytest.approx(p, abs=1e-4))
    together = judge([claim(key=f"X-{i}") for i in range(5)], records, "full")
    assert {one.verdict for one in together} == {VerdictLabel.INCONCLUSIVE}
    assert together[0].p_adjusted == pytest.approx(5 * p, abs=1e-3)
    assert "not significant among so many claims" in together[0].why


def test_one_pair_refutes_an_order_if_significant_among_all() -> None:
    test = Order(ordered=("a", "b", "c"), margin=MARGIN)
    rows = {"a": [1.0, 1.1, 0.9], "b": [2.0, 2.0, 2.0]}
    once = judged(runs(**rows, c=[1.97, 2.03, 2.0]), test=test)  # b and c: as in REFUTED
    assert (once.verdict, once.effect) == (VerdictLabel.INCONCLUSIVE, pytest.approx(0.0))
    surely = judged(runs(**rows, c=[1.99, 2.01, 2.0]), test=test)
    assert surely.verdict is VerdictLabel.NOT_REPRODUCED
    assert surely.p == pytest.approx(2 * two_sided(MARGIN / (0.01 / sqrt(3))))
    assert "(refuted by: b has a lower valid/loss than c): refuted" in surely.why
    assert "(closest to failing: b has a lower valid/loss than c): open" in once.why


def test_costs_of_every_arm() -> None:
    costs = {"runs": 3, "params_total": 40, "params_active": 20, "flops_per_token": 100}
    expected = pytest.approx({**costs, "seconds_per_step": 1.0})
    assert judged(BETTER).costs == {"a": expected, "b": expected}


def test_equal_input_gives_equal_verdicts_whatever_else_is_judged() -> None:
    alone = judge([claim()], BETTER, "full")
    beside = judge([claim(key="X-02"), claim()], list(reversed(BETTER)), "full")
    assert (alone[0].low, alone[0].high, alone[0].p) == (beside[1].low, beside[1].high, beside[1].p)
    assert alone == judge([claim()], BETTER, "full")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": "diverged"}, "1 of 5 runs of a: diverged"),
        ({"status": "out_of_memory"}, "1 of 5 runs of a: out of memory"),
        ({"metrics": {}}, "1 of 5 runs of a: without valid/loss"),
        ({"metrics": {"valid/loss": inf}}, "1 of 5 runs of a: without valid/loss"),
        ({"metrics": {"valid/loss": nan}}, "1 of 5 runs of a: without valid/loss"),
    ],
)
def test_runs_that_do_not_count_are_named_in_the_row(changes: dict[str, Any], told: str) -> None:
    records = differing(-1.0, -1.1, -0.9, -1.05, -0.95)
    found = judged([replace(records[0], **changes), *records[1:]])
    assert (found.verdict, found.n) == (VerdictLabel.REPRODUCED, 4)
    assert told in found.why
    assert told in remarks(found, Footnotes())


def test_two_records_of_one_run_are_refused() -> None:
    with pytest.raises(ValueError, match="arm=a, seed=0: more than one record"):
        judged([*BETTER, run("a", 0, 1.0)])


def test_json_has_no_infinities() -> None:
    for records in (BETTER, BETTER[:1], runs(a=[1.0], b=[2.0]), []):
        entry = judged(records).to_json()
        assert json.loads(json.dumps(entry, allow_nan=False)) == entry
        assert set(entry) >= {
            *("claim", "version", "verdict", "effect", "low", "high", "n", "p_adjusted"),
            *("paper_values", "measured", "matched_on", "costs", "why", "power", "preliminary"),
            *("controls", "unequal", "of_paper", "replicate", "runs_of"),
        }
