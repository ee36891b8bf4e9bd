"""Estimates over many samples: p agrees with the interval, which contains the truth."""

from collections.abc import Callable
from math import comb, exp, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moebench.statistics import Values
from moebench.statistics.distributions import TAIL
from moebench.statistics.estimates import (
    Estimate,
    difference,
    mean,
    paired_ratio,
    ratio,
    share,
    spreads,
)

numbers = st.integers(1, 999).map(lambda number: number / 100)
samples = st.lists(numbers, min_size=2, max_size=6).map(np.array)
equally_long = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=6).map(np.transpose)
runs = st.integers(2, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
KINDS = {
    "mean": samples.map(mean),
    "difference": st.builds(difference, samples, samples),
    "ratio": st.builds(ratio, samples, samples),
    "spreads": st.builds(spreads, samples, samples),
    "share": runs.map(lambda pair: share(*pair)),
    "paired ratio": equally_long.map(lambda pair: paired_ratio(*pair)),
}
BOUNDS = [-inf, *np.linspace(-2, 12, 29), 50.0, 1e4, inf]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_bound_is_outside_the_interval_if_its_p_is_small(kind, data) -> None:
    found = data.draw(KINDS[kind])
    low, high = found.ends()
    assert low <= found.value * (1 + 1e-9)
    assert found.value <= high * (1 + 1e-9)
    for bound in BOUNDS:
        if bound != pytest.approx(low, abs=1e-6):
            assert (found.p_at_most(bound) < TAIL) == (bound < low), (bound, low)
        if bound != pytest.approx(high, abs=1e-6):
            assert (found.p_at_least(bound) < TAIL) == (bound > high), (bound, high)


# That of a ratio need not rise all the way: its degrees of freedom change with the bound.
@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"ratio", "spreads"}))
@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_the_p_of_a_bound_rises_with_it(kind, data) -> None:
    found = data.draw(KINDS[kind].filter(lambda estimate: estimate.value < inf))
    at_most = [found.p_at_most(bound) for bound in BOUNDS]
    at_least = [found.p_at_least(bound) for bound in BOUNDS]
    assert (at_most[0], at_most[-1], at_least[0], at_least[-1]) == (0.0, 1.0, 1.0, 0.0)
    assert all(0 <= p <= 1 for p in at_most + at_least)
    assert at_most == sorted(at_most)
    assert at_least == sorted(at_least, reverse=True)


def covered(estimate: Callable[[np.random.Generator], Estimate], truth: float, times: int) -> float:
    rng = np.random.default_rng(0)
    ends = [estimate(rng).ends() for _ in range(times)]
    return float(np.mean([low <= truth <= high for low, high in ends]))


@pytest.mark.parametrize("n", [3, 5, 10])
def test_intervals_contain_the_truth_in_95_per_cent(n: int) -> None:
    """Of 1,000 the share varies by 0.7 points; of 400, by 1.1."""

    def drawn(rng: np.random.Generator, mu: float, sd: float) -> Values:
        return rng.normal(mu, sd, n)

    assert 0.93 <= covered(lambda rng: mean(drawn(rng, 1, 1)), 1.0, 1000) <= 0.97
    apart = covered(lambda rng: difference(drawn(rng, 1, 1), drawn(rng, 0, 3)), 1.0, 1000)
    assert 0.93 <= apart <= 0.97
    quotient = covered(lambda rng: ratio(drawn(rng, 1, 0.1), drawn(rng, 2, 0.4)), 0.5, 400)
    assert 0.92 <= quotient <= 0.98
    spread = covered(lambda rng: spreads(drawn(rng, 0, 1), drawn(rng, 0, 2)), 0.5, 400)
    assert spread >= 0.92, "of few values the interval is too wide"
    logs = covered(
        lambda rng: paired_ratio(np.exp(drawn(rng, 1, 0.1)), np.exp(drawn(rng, 0, 0.1))),
        exp(1),
        400,
    )
    assert 0.92 <= logs <= 0.98


@pytest.mark.parametrize("truth", [0.05, 0.3, 0.5])
def test_intervals_of_shares_contain_the_truth_in_at_least_95_per_cent(truth: float) -> None:
    """The chance of each outcome of ten runs is C(10, k) p^k (1 - p)^(10 - k)."""
    covers = 0.0
    for seen in range(11):
        low, high = share(seen, 10).ends()
        chance = comb(10, seen) * truth**seen * (1 - truth) ** (10 - seen)
        covers += chance * (low <= truth <= high)
    assert covers >= 0.95


@pytest.mark.parametrize("tails", ["t(3)", "exponential", "one in twenty far away"])
def test_equal_spreads_rarely_differ_significantly_whatever_the_tails(tails: str) -> None:
    """Of 400 the share varies by 1.1 points; by the F test of variances it is 27 to 50%."""
    draws: dict[str, Callable[[np.random.Generator], Values]] = {
        "t(3)": lambda rng: rng.standard_t(3, 25),
        "exponential": lambda rng: rng.exponential(size=25),
        "one in twenty far away": lambda rng: rng.normal(size=25) + 20 * (rng.random(25) < 0.05),
    }
    draw = draws[tails]
    assert covered(lambda rng: spreads(draw(rng), draw(rng)), 1.0, 400) >= 0.92
