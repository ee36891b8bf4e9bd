"""What is compared at every size: pairs of arms, and the test of each comparison over the sizes.

The name of an arm is its size and what it is, such as `small_dense`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from reproductions.scale_axis.judging import GainOverSize

SIZES = SMALL, MEDIUM, LARGE = ("small", "medium", "large")
MIXTURE, DENSE = "mixture", "dense"  # eight experts, one a token; its twin of equal FLOPs
TWO, MANY, UNBALANCED = "two_choices", "experts_32", "unbalanced"
COMPARED = (DENSE, MIXTURE, TWO, MANY, UNBALANCED)  # trained at every size
ONE_EXPERT, SLOW = "one_expert", "slow"  # of the controls alone

# The smallest gain that counts: 0.01 nats, as for a mixture over its dense twin in switch_2021. A
# trend counts that moves a gain by twice as much in a tenfold of active parameters.
COUNTED = 0.01
LOSS: dict[str, Any] = {"margin": 2 * COUNTED, "counted": COUNTED}
# Of the busiest expert's excess over the mean load: what the capacity of 1.25 leaves room for.
ROOM = 0.25
LOAD: dict[str, Any] = {
    "metric": "route/max_violation",
    "unit": "mean loads a tenfold",
    "gain_unit": "mean loads",
    "margin": 2 * ROOM,
    "counted": ROOM,
}


def arm(size: str, what: str) -> str:
    """Return the name of an arm."""
    return f"{size}_{what}"


def series(first: str, second: str, sizes: Sequence[str] = SIZES) -> tuple[tuple[str, str], ...]:
    """Return what is compared, at every size."""
    return tuple((arm(size, first), arm(size, second)) for size in sizes)


SPARSE = GainOverSize(series=series(MIXTURE, DENSE), trend="does not shrink", **LOSS)
CHOICES = GainOverSize(series=series(TWO, MIXTURE), trend="shrinks", **LOSS)
EXPERTS = GainOverSize(series=series(MANY, MIXTURE), trend="does not shrink", **LOSS)
BALANCE = GainOverSize(series=series(MIXTURE, UNBALANCED), trend="does not shrink", **LOSS)
EVENNESS = GainOverSize(series=series(MIXTURE, UNBALANCED), trend="does not shrink", **LOAD)
# Title of the comparison -> its test, in the order of figures and tables.
TESTS: Mapping[str, GainOverSize] = {
    "8 experts over dense": SPARSE,
    "Two choices over one": CHOICES,
    "32 experts over 8": EXPERTS,
    "Balance weight, loss": BALANCE,
    "Balance weight, load": EVENNESS,
}

# Two series whose trend is known from how they are made. A mixture of one expert computes what its
# dense twin does, so neither gains; a dense model loses to the same one if it learns at a tenth of
# the rate, in a training that ends long before it has learnt all it can.
TWO_SIZES = (SMALL, MEDIUM)
FLAT = series(ONE_EXPERT, DENSE, TWO_SIZES)
SHRINKING = (*series(DENSE, SLOW, (SMALL,)), *series(ONE_EXPERT, DENSE, (MEDIUM,)))
