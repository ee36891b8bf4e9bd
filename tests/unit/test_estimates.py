"""Estimates: bounds that lie outside of what a quantity can be."""

from math import inf

import numpy as np
import pytest

from moebench.statistics.estimates import Estimate, mean, paired_ratio, ratio, share, variances

FIRST, SECOND = np.array([2.0, 3.0, 4.0]), np.array([5.0, 6.0, 8.0])


@pytest.mark.parametrize(
    "estimate",
    [
        mean(FIRST),
        ratio(FIRST, SECOND),
        variances(FIRST, SECOND),
        paired_ratio(FIRST, SECOND),
        share(0, 4),
        share(4, 4),
    ],
    ids=lambda estimate: type(estimate).__name__,
)
def test_no_bound_at_all_says_nothing(estimate: Estimate) -> None:
    assert (estimate.p_at_most(-inf), estimate.p_at_most(inf)) == (0.0, 1.0)
    assert (estimate.p_at_least(-inf), estimate.p_at_least(inf)) == (1.0, 0.0)


def test_a_ratio_of_positive_means_is_above_nought() -> None:
    assert ratio(FIRST, SECOND).p_at_most(0.0) == 0.0
    assert ratio(FIRST, SECOND).p_at_least(0.0) == 1.0
