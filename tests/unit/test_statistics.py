"""Intervals and tests against hand-worked values, textbook figures and brute force."""

from math import inf, sqrt

import numpy as np
import pytest
from scipy import stats

from moebench.statistics import (
    Interval,
    Values,
    at_least_p,
    detectable_effect,
    equivalence_p,
    holm,
    mean_interval,
    mean_p,
    overflow_share,
    power,
    seeds_needed,
    spearman,
    variance_ratio,
)


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def values(*numbers: float) -> Values:
    return np.array(numbers, dtype=float)


def test_t_interval_of_three_values_by_hand() -> None:
    found = mean_interval(values(1, 2, 3), generator())
    half = 4.302653 / sqrt(3)  # 97.5% quantile of t with 2 degrees of freedom; sd is 1
    assert (found.estimate, found.n, found.method) == (2.0, 3, "t")
    assert found.low == pytest.approx(2 - half, abs=1e-6)
    assert found.high == pytest.approx(2 + half, abs=1e-6)


def test_bootstrap_from_eight_values_on() -> None:
    eight = generator(1).normal(size=8)
    assert mean_interval(eight[:7], generator()).method == "t"
    assert mean_interval(eight, generator()).method == "bca"


def test_bootstrap_agrees_with_t_on_many_normal_values() -> None:
    many = generator(2).normal(size=400)
    found = mean_interval(many, generator())
    half = stats.t.ppf(0.975, 399) * many.std(ddof=1) / 20
    assert found.low == pytest.approx(many.mean() - half, abs=0.01)
    assert found.high == pytest.approx(many.mean() + half, abs=0.01)


def test_bootstrap_follows_the_skew() -> None:
    skewed = generator(3).exponential(size=30)
    found = mean_interval(skewed, generator())
    assert found.high - found.estimate > found.estimate - found.low


def test_seed_of_the_bootstrap_matters_and_equal_seeds_agree() -> None:
    sample = generator(4).normal(size=12)
    assert mean_interval(sample, generator(5)) == mean_interval(sample, generator(5))
    assert mean_interval(sample, generator(5)) != mean_interval(sample, generator(6))


@pytest.mark.parametrize("n", [2, 3, 5, 8, 10])
def test_intervals_cover_the_true_mean_95_times_in_a_hundred(n: int) -> None:
    rng = generator(n)
    times, covered = 400, 0
    for _ in range(times):
        found = mean_interval(rng.normal(loc=1.0, size=n), rng)
        covered += found.low <= 1.0 <= found.high
    assert 0.92 <= covered / times <= 0.98


def test_degenerate_samples_have_defined_intervals_and_p() -> None:
    assert mean_interval(values(), generator()) == Interval(0.0, -inf, inf, 0, "no value")
    assert mean_interval(values(3), generator()) == Interval(3.0, -inf, inf, 1, "one value")
    for n in (2, 9):
        point = mean_interval(np.full(n, 0.1), generator())
        assert point.low == point.high == point.estimate == pytest.approx(0.1)
        assert point.method == "identical values"
    assert mean_p(values(3)) == 1.0
    assert mean_p(values(3, 3)) == 0.0
    assert mean_p(values(0, 0)) == 1.0
    assert mean_p(values(3, 3), alternative="less") == 1.0
    assert mean_p(values(3, 3), null=2, alternative="greater") == 0.0
    assert equivalence_p(values(0, 0), margin=0.1) == 0.0
    assert equivalence_p(values(0.2, 0.2), margin=0.1) == 1.0


def test_t_test_by_hand() -> None:
    t = 2 / (1 / sqrt(3))
    # With 2 degrees of freedom the t distribution has the closed form 1/2 + t / (2 sqrt(2 + t^2)).
    assert mean_p(values(1, 2, 3)) == pytest.approx(1 - t / sqrt(2 + t * t))
    assert mean_p(values(1, 2, 3), null=2) == pytest.approx(1.0)
    assert mean_p(values(1, 2, 3), alternative="greater") == pytest.approx(
        (1 - t / sqrt(2 + t * t)) / 2
    )


def test_equivalence_by_hand() -> None:
    t = 1 / (0.1 / sqrt(3))
    assert equivalence_p(values(-0.1, 0, 0.1), margin=1) == pytest.approx(
        (1 - t / sqrt(2 + t * t)) / 2
    )
    assert equivalence_p(values(0.9, 1.0, 1.1), margin=1) == pytest.approx(0.5)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_at_least_is_bonferroni_for_one_and_the_largest_for_all() -> None:
    p = [0.03, 0.01, 0.2]
    assert at_least_p(p, 1) == pytest.approx(0.03)  # 3 x 0.01
    assert at_least_p(p, 2) == pytest.approx(0.06)  # 2 x 0.03
    assert at_least_p(p, 3) == pytest.approx(0.2)


def test_spearman_by_hand() -> None:
    # Differences of ranks 2, 1, 1: 1 - 6 * 6 / (3 * 8).
    assert spearman(values(1, 2, 3), values(30, 10, 20)) == pytest.approx(-0.5)
    assert spearman(values(1, 2, 3), values(5, 5, 5)) == 0.0
    assert spearman(values(1), values(2)) == 0.0


def test_variance_ratio_by_hand() -> None:
    # With 2 and 2 degrees of freedom the F distribution is x / (1 + x): quantiles 39 and 1/39.
    found, p = variance_ratio(values(1, 2, 3), values(2, 4, 6))
    assert found.estimate == pytest.approx(0.25)
    assert p == pytest.approx(0.2)
    assert found.low == pytest.approx(0.25 / 39)
    assert found.high == pytest.approx(0.25 * 39)


def test_variance_ratio_without_variance_is_defined() -> None:
    still, moving = values(1, 1), values(1, 2)
    assert variance_ratio(still, moving)[1] == 0.0
    assert variance_ratio(moving, still)[1] == 1.0
    assert variance_ratio(moving, still)[0].low == inf
    assert variance_ratio(still, still)[0].estimate == 1.0
    assert variance_ratio(values(1), moving)[1] == 1.0


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_seeds_needed_agree_with_textbook_tables(effect: float, pairs: int) -> None:
    assert seeds_needed(effect, sd=1.0) == pairs
    assert power(effect, 1.0, pairs) >= 0.8 > power(effect, 1.0, pairs - 1)


def test_detectable_effect_is_seen_with_the_stated_chance() -> None:
    effect = detectable_effect(sd=2.0, n=5)
    rng = generator(7)
    seen = [mean_p(rng.normal(effect, 2.0, size=5)) <= 0.05 for _ in range(1000)]
    assert 0.76 <= np.mean(seen) <= 0.84
    assert detectable_effect(2.0, n=1) == inf
    assert detectable_effect(0.0, n=5) == 0.0


def test_power_at_its_limits() -> None:
    assert power(1.0, 1.0, n=1) == 0.0
    assert power(1.0, 0.0, n=2) == 1.0
    assert power(0.0, 1.0, n=9) == 0.025
    assert power(1e9, 1.0, n=10) == 1.0
    assert seeds_needed(0.0, 1.0, most=50) == 50


def test_overflow_of_two_tokens_on_two_experts() -> None:
    # Half of the time both choose one expert, and one of the two is dropped.
    assert overflow_share(rows=1, tokens=2, experts=2) == pytest.approx(0.25)
    assert overflow_share(rows=2, tokens=2, experts=2) == 0.0


def test_overflow_against_simulation() -> None:
    rng = generator(8)
    counts = rng.multinomial(256, [1 / 16] * 16, size=4000)
    simulated = np.maximum(counts - 20, 0).sum(axis=1).mean() / 256
    assert overflow_share(rows=20, tokens=256, experts=16) == pytest.approx(simulated, rel=0.03)
