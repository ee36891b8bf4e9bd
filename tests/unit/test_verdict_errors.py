"""Verdicts are wrong as seldom as they say, in worlds whose truth is known.

The whole table is `python -m benchmarks.verdicts`; this is a short form of it.
"""

import pytest

from benchmarks.verdicts import WORLDS, coverage, errors, residuals

CLAIMS = 250
WRONG = 0.05 + 2 * (0.05 * 0.95 / CLAIMS) ** 0.5  # what so few claims show of a true 5%


@pytest.mark.parametrize(
    ("world", "n", "spread"),
    [
        ("normal", 3, 1.0),
        ("normal", 25, 1.0),
        ("t(3)", 5, 1.0),
        ("resampled", 10, 0.5),
    ],
)
def test_every_kind_of_error_is_rare(world: str, n: int, spread: float) -> None:
    found = errors(WORLDS[world], CLAIMS, n, spread)
    assert {kind: share for kind, share in found.items() if share > WRONG} == {}


@pytest.mark.parametrize("n", [3, 10])
def test_intervals_hold_the_truth(n: int) -> None:
    found = coverage(WORLDS["normal"], 2000, n)
    assert all(0.93 <= share <= 0.97 for share in found.values()), found


def test_differences_of_the_papers_are_resampled_as_they_are() -> None:
    values = residuals()
    assert len(values) >= 450  # ten arms of ten seeds
    assert abs(values.mean()) < 1e-9
    assert values.std() == pytest.approx(1)
