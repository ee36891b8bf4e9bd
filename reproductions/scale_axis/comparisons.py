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
ONE_EXPERT, NARROW = "one_expert", "narrow"  # of the controls alone
SEEDS = 8  # of every arm, all trained for equally many steps

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

# Two series whose trend is known from how they are made, at the ends of the axis. A mixture of one
# expert computes what its dense twin does, so neither gains; a dense model beats one whose blocks
# have half the weights. In the runs of switch_2021 four times the weights were 0.18 nats better
# after as many tokens, so the gain that is lost is two to four margins or so.
ENDS = (SMALL, LARGE)
FLAT = series(ONE_EXPERT, DENSE, ENDS)
SHRINKING = (*series(DENSE, NARROW, (SMALL,)), *series(ONE_EXPERT, DENSE, (LARGE,)))
