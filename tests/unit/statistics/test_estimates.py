"""Estimates against textbook figures and hand-computed values; p and interval always agree."""

from collections.abc import Callable
from math import inf, log, sqrt

import numpy as np
import pytest
import scipy.stats

from moebench.statistics import Values
from moebench.statistics.distributions import TAIL, Identical, Known, NoEstimate
from moebench.statistics.estimates import (
    Estimate,
    difference,
    geometric,
    mean,
    paired_ratio,
    ratio,
    share,
    spreads,
)

T2 = 4.302653  # 97.5% quantile of Student's t with 2 degrees of freedom
# Hours of sleep gained by ten patients with either drug (Student 1908, Biometrika 6).
FIRST_DRUG = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SECOND_DRUG = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])


def values(*numbers: float) -> Values:
    return np.array(numbers, dtype=float)


def two_sided(estimate: Estimate, bound: float = 0.0) -> float:
    return 2 * min(estimate.p_at_most(bound), estimate.p_at_least(bound))


def test_a_mean_by_hand() -> None:
    found = mean(values(1, 2, 3))  # standard deviation 1
    assert found.ends() == pytest.approx((2 - T2 / sqrt(3), 2 + T2 / sqrt(3)), abs=1e-6)
    assert (found.value, found.n, found.interval.method) == (2.0, 3, "t")
    # With 2 degrees of freedom the t distribution has the closed form 1/2 + t / (2 sqrt(2 + t^2)).
    t = 2 * sqrt(3)
    assert found.p_at_most(0) == pytest.approx(0.5 - t / (2 * sqrt(2 + t * t)))
    assert found.p_at_least(0) == pytest.approx(0.5 + t / (2 * sqrt(2 + t * t)))


def test_students_own_example() -> None:
    paired = mean(SECOND_DRUG - FIRST_DRUG)
    assert paired.value == pytest.approx(1.58)
    assert paired.ends() == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    assert two_sided(paired) == pytest.approx(0.002833, abs=1e-6)


def test_welch_on_the_same_example() -> None:
    apart = difference(SECOND_DRUG, FIRST_DRUG)
    assert apart.value == pytest.approx(1.58)
    assert apart.ends() == pytest.approx((-0.2054832, 3.3654832), abs=1e-6)
    assert two_sided(apart) == pytest.approx(0.07939, abs=1e-5)


def test_a_ratio_to_a_constant_is_a_mean_in_its_units() -> None:
    found = ratio(values(10, 11, 12), values(2, 2, 2))
    half = T2 / sqrt(3)
    assert found.ends() == pytest.approx(((11 - half) / 2, (11 + half) / 2), abs=1e-6)
    upside_down = ratio(values(2, 2, 2), values(10, 11, 12))
    assert upside_down.ends() == pytest.approx((2 / (11 + half), 2 / (11 - half)), abs=1e-6)
    # One is tested as 11 - 2 = 9: t = 9 sqrt(3) with 2 degrees of freedom.
    t = 9 * sqrt(3)
    assert found.p_at_most(1) == pytest.approx(0.5 - t / (2 * sqrt(2 + t * t)))


def test_the_ends_of_a_ratio_are_where_a_difference_is_just_there() -> None:
    first, second = values(4, 5, 7, 6), values(10, 11, 13)
    found = ratio(first, second)
    freedom = scipy.stats.ttest_ind(first, found.value * second, equal_var=False).df
    for end in found.ends():
        t = scipy.stats.ttest_ind(first, end * second, equal_var=False).statistic
        assert 2 * scipy.stats.t.sf(abs(t), freedom) == pytest.approx(0.05, abs=1e-9)


def test_p_keeps_falling_far_from_the_estimate() -> None:
    """With degrees of freedom that vary with the bound, p would rise again from 0.025 at 0.7."""
    found = ratio(values(0.01, 0.02), values(0.07, 0.09))
    chances = [found.p_at_least(bound) for bound in np.geomspace(0.2, 100, 50)]
    assert chances == sorted(chances, reverse=True)


def test_a_ratio_to_a_mean_that_may_be_zero_has_no_upper_end() -> None:
    found = ratio(values(10, 11, 12), values(0.1, 1, 9))
    assert (found.value, found.ends()[1]) == (pytest.approx(11 / (10.1 / 3)), inf)
    assert ratio(values(0.1, 1, 9), values(10, 11, 12)).ends()[0] == 0.0


def test_spreads_by_hand() -> None:
    first, second = values(1, 2, 6), values(10, 14, 22)  # medians 2 and 14
    found = spreads(first, second)
    assert found.value == pytest.approx((5 / 3) / (12 / 3))
    assert found.ends() == ratio(values(1, 0, 4), values(4, 0, 8)).ends()
    assert found.n == 3
    assert isinstance(spreads(values(1, 2), values(1, 9)), NoEstimate)


def test_a_share_by_hand() -> None:
    # Once in two: at most once is 1 - s^2, at least once is 1 - (1 - s)^2.
    one = share(1, 2)
    assert one.ends() == pytest.approx((1 - sqrt(0.975), sqrt(0.975)))
    assert one.p_at_most(0.1) == pytest.approx(1 - 0.9**2)
    assert one.p_at_least(0.9) == pytest.approx(1 - 0.9**2)
    assert share(0, 5).ends() == pytest.approx((0.0, 1 - TAIL ** (1 / 5)))
    assert share(5, 5).ends() == pytest.approx((TAIL ** (1 / 5), 1.0))


def test_paired_ratios_are_logarithms_by_hand() -> None:
    found = paired_ratio(values(2, 4, 8), values(1, 1, 1))  # logarithms 1, 2, 3, in doublings
    assert found.value == pytest.approx(4.0)
    half = T2 / sqrt(3)
    assert found.ends() == pytest.approx((2 ** (2 - half), 2 ** (2 + half)), abs=1e-5)
    assert found.p_at_most(1) == pytest.approx(mean(values(1, 2, 3)).p_at_most(0))
    assert found.p_at_most(-1) == 0.0, "no ratio of positive values is below nought"
    assert geometric(mean(values(log(2), log(2)))).ends() == pytest.approx((2, 2))


FUNCTIONS = [difference, ratio, spreads, paired_ratio]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_fewer_than_two_values_say_nothing(function: Callable[[Values, Values], Estimate]) -> None:
    for first, second in ((values(), values()), (values(3), values(4))):
        found = function(first, second)
        assert isinstance(found, NoEstimate)
        assert (found.n, found.ends()) == (len(first), (-inf, inf))
        assert (found.p_at_most(-9), found.p_at_least(9)) == (1.0, 1.0)


def test_one_value_is_kept_and_none_gives_zero() -> None:
    assert mean(values(3)).interval.estimate == 3.0
    assert mean(values()).interval.estimate == 0.0
    assert isinstance(share(1, 1), NoEstimate)
    assert isinstance(share(0, 0), NoEstimate)


def test_ratios_of_values_that_are_not_positive_say_nothing() -> None:
    assert isinstance(paired_ratio(values(1, 2, 0), values(1, 1, 1)), NoEstimate)
    assert isinstance(ratio(values(-1, -2, -3), values(1, 2, 3)), NoEstimate)
    assert isinstance(ratio(values(1, 2, 3), values(0, 0, 0)), NoEstimate)


def test_identical_values_are_known_exactly() -> None:
    same = np.full(3, 0.1)
    for found, value in (
        (mean(same), 0.1),
        (difference(same, np.full(4, 0.3)), -0.2),
        (ratio(same, np.full(4, 0.2)), 0.5),
        (spreads(same, values(1, 2, 4)), 0.0),
        (spreads(values(1, 2, 4), same), inf),
        (spreads(same, same), 1.0),
    ):
        assert isinstance(found, Identical)
        assert found.ends() == pytest.approx((value, value))
        assert (found.p_at_most(value - 1), found.p_at_least(value - 1)) == (
            0.0,
            1.0,
        ) or value == inf
    assert Known(2.0, 1).p_at_most(2.0) == Known(2.0, 1).p_at_least(2.0) == 1.0
