"""Claims about the ratio of two arms, and about one metric of one arm."""

from math import exp, log, sqrt

import pytest

from moebench.papers.claim import ClaimTest
from moebench.testing.verdicts import findings_of, run
from moebench.verdict.findings import Findings
from moebench.verdict.ratios import Limit, Ratio

T2 = 4.302653  # 97.5% quantile of Student's t with 2 degrees of freedom
NOISE = (0.02, -0.02, 0.0, 0.01, -0.01)  # relative


def judged(test: ClaimTest, **values: list[float]) -> Findings:
    """Judge runs of every arm, one value per seed."""
    records = [
        run(arm, seed, metrics={"cv": value, "load": 10 * value})
        for arm, row in values.items()
        for seed, value in enumerate(row)
    ]
    return findings_of(test, records)


def near(mean: float) -> list[float]:
    return [mean * (1 + noise) for noise in NOISE]


def test_a_ratio_by_hand() -> None:
    # Ratios 2, 4 and 8: logarithms 1, 2 and 3 in doublings, of standard deviation 1.
    test = Ratio(first="a", second="b", metric="cv", factor=1.0)
    lead = judged(test, a=[2, 4, 8], b=[1, 1, 1]).lead
    assert lead.effect.estimate == pytest.approx(4)
    half = T2 / sqrt(3) * log(2)
    assert lead.effect.low == pytest.approx(exp(2 * log(2) - half), abs=1e-5)
    assert lead.effect.high == pytest.approx(exp(2 * log(2) + half), abs=1e-3)
    t = 2 * sqrt(3)
    assert lead.p == pytest.approx(1 - t / sqrt(2 + t * t))


@pytest.mark.parametrize(
    ("first", "state", "remark"),
    [
        (0.8, "holds", ""),
        (0.498, "open", "present; unclear whether it counts"),  # above the root of 5, below 5
        (0.35, "refuted", "present, but too small to count"),
        (0.1, "refuted", "no effect large enough to count"),
        (0.05, "refuted", "in the opposite direction"),
    ],
)
def test_a_multiple(first: float, state: str, remark: str) -> None:
    test = Ratio(first="a", second="b", metric="cv", factor=5.0, noted=("load",))
    found = judged(test, a=near(first), b=[0.1] * 5)
    assert (found.lead.state, found.lead.remark) == (state, remark)
    assert found.lead.effect.estimate == pytest.approx(first / 0.1, rel=0.001)
    assert found.lead.says == "cv of a is at least 5 times that of b"
    assert found.notes["b"] == {"load": pytest.approx(1.0)}


@pytest.mark.parametrize(("first", "state"), [(0.02, "holds"), (0.08, "refuted")])
def test_a_fraction(first: float, state: str) -> None:
    test = Ratio(first="a", second="b", metric="cv", factor=0.25)
    lead = judged(test, a=near(first), b=[0.1] * 5).lead
    assert (lead.state, lead.says) == (state, "cv of a is at most 0.25 times that of b")


def test_a_fraction_must_lie_below_the_root_of_the_factor() -> None:
    """A fifth on average, and up to 0.7: not certainly below one half, the root of a quarter."""
    test = Ratio(first="a", second="b", metric="cv", factor=0.25)
    lead = judged(test, a=[0.0121, 0.02, 0.0331], b=[0.1] * 3).lead
    assert (lead.state, lead.remark) == ("open", "present; unclear whether it counts")
    assert 0.5 < lead.effect.high < 1


def test_values_without_a_ratio_leave_the_claim_open() -> None:
    test = Ratio(first="a", second="b", metric="cv", factor=5.0)
    lead = judged(test, a=[1, 2, 3], b=[0.1, 0.0, 0.1]).lead
    assert (lead.state, lead.effect.n) == ("open", 0)
    assert "not above 0" in lead.remark
    assert judged(test).lead.state == "open"


@pytest.mark.parametrize(
    ("values", "above", "state"),
    [
        ([1, 2, 3], False, "open"),  # 2 +- 2.48
        ([1.9, 2, 2.1], False, "holds"),
        ([1.9, 2, 2.1], True, "refuted"),
        ([3.9, 4, 4.1], True, "holds"),
        ([3.9, 4, 4.1], False, "refuted"),
        ([3.0, 3.0, 3.0], False, "open"),  # at the limit, neither below nor above it
        ([2.0], False, "open"),
    ],
)
def test_a_limit(values: list[float], above: bool, state: str) -> None:
    lead = judged(Limit(arm="a", metric="cv", limit=3.0, above=above), a=values).lead
    assert lead.state == state
    assert lead.says == f"cv of a is {'above' if above else 'below'} 3"


def test_which_arms_are_compared() -> None:
    assert list(Ratio(first="a", second="b", factor=2).pairs) == [("a", "b")]
    assert Limit(arm="a", limit=1).pairs == []


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="factor=0, margin"):
        Ratio(first="a", second="b", factor=0)
    with pytest.raises(ValueError, match=r"factor=2, margin=0\.1"):
        Ratio(first="a", second="b", factor=2, margin=0.1)
    with pytest.raises(ValueError, match=r"margin=0\.1: takes a limit, and no margin"):
        Limit(arm="a", limit=1, margin=0.1)
    with pytest.raises(TypeError, match="at_least"):
        Ratio(first="a", second="b", at_least=2)  # type: ignore[call-arg]
