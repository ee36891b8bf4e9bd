"""Corrections, rank correlation, power and overflow against hand-worked values and tables."""

from math import inf

import numpy as np
import pytest
from scipy import stats

from moebench.statistics import (
    Values,
    detectable_effect,
    holm,
    overflow_share,
    power,
    seeds_needed,
    spearman,
)
from moebench.statistics.estimates import mean, share


def values(*numbers: float) -> Values:
    return np.array(numbers, dtype=float)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_spearman_by_hand() -> None:
    # Differences of ranks 2, 1, 1: 1 - 6 * 6 / (3 * 8).
    assert spearman(values(1, 2, 3), values(30, 10, 20)) == pytest.approx(-0.5)
    assert spearman(values(1, 2, 3), values(5, 5, 5)) == 0.0
    assert spearman(values(1), values(2)) == 0.0


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_seeds_needed_agree_with_textbook_tables(effect: float, pairs: int) -> None:
    assert seeds_needed(effect, sd=1.0) == pairs
    assert power(effect, 1.0, pairs) >= 0.8 > power(effect, 1.0, pairs - 1)


def test_detectable_effect_is_seen_with_the_stated_chance() -> None:
    effect = detectable_effect(sd=2.0, n=5)
    rng = np.random.default_rng(7)
    seen = [mean(rng.normal(effect, 2.0, size=5)).p_at_most(0) <= 0.025 for _ in range(1000)]
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
    rng = np.random.default_rng(8)
    counts = rng.multinomial(256, [1 / 16] * 16, size=4000)
    simulated = np.maximum(counts - 20, 0).sum(axis=1).mean() / 256
    assert overflow_share(rows=20, tokens=256, experts=16) == pytest.approx(simulated, rel=0.03)


def test_special_functions_agree_with_scipy_stats() -> None:
    for seen, n in ((0, 3), (3, 3), (2, 7), (19, 20)):
        found, test = share(seen, n), stats.binomtest(seen, n).proportion_ci(0.95, "exact")
        assert found.ends() == pytest.approx((test.low, test.high), abs=1e-12)
        for bound in (0.0, 0.3, 1.0):
            assert found.p_at_most(bound) == pytest.approx(stats.binom.sf(seen - 1, n, bound))
            assert found.p_at_least(bound) == pytest.approx(stats.binom.cdf(seen, n, bound))
    tied = values(3, 1, 1, 2, 5), values(1, 1, 2, 2, 9)
    assert spearman(*tied) == pytest.approx(stats.spearmanr(*tied).statistic, abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 5, 30, 300])
def test_a_detectable_effect_has_the_stated_power(n: int) -> None:
    assert power(detectable_effect(2.0, n), 2.0, n) == pytest.approx(0.8, abs=1e-6)
