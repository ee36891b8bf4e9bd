"""The rules of judging: labels by hand, and Holm's correction over the claims of a paper."""

from math import sqrt

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import runs
from moebench.verdict import judge
from moebench.verdict.comparisons import Difference, Equivalence, Order

from .fakes import BETTER, MARGIN, claim, differing, judged, two_sided

T_2 = 4.302653  # of a 95% interval, with 2 degrees of freedom


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


def test_equal_input_gives_equal_verdicts_whatever_else_is_judged() -> None:
    alone = judge([claim()], BETTER, "full")
    beside = judge([claim(key="X-02"), claim()], list(reversed(BETTER)), "full")
    assert (alone[0].low, alone[0].high, alone[0].p) == (beside[1].low, beside[1].high, beside[1].p)
    assert alone == judge([claim()], BETTER, "full")
