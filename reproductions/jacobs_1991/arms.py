"""The names of the arms, and what the arms have in common.

Arms are named `<system>.<coding>.<range of initial weights>`, followed by `.file` or `.order_<n>`
if the speakers are in another order than the one drawn with seed 1. plan.py defines the arms. Each
run covers a grid of step sizes and 25 judged seeds; three more seeds choose a system's best step.
"""

from dataclasses import replace
from functools import partial

from moebench.papers.claim import Claim

GRID = (2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0, 40.0)
TRIALS = 3  # seeds that choose the step
# The common step for comparisons: the largest in the grid at which every system met the criterion
# in every trial (seeds 0 to 2, which no verdict uses), in both codings.
SAME = 12.0
CODINGS, RANGES = ("aligned", "anti"), (0.5, 0.1, 1.0)
TABLE_1 = ("four_experts", "eight_experts", "backprop_6", "backprop_12")
DRAWN = 1  # seed of the order of speakers, unless the order is in question
ORDERS = 20  # further random orders, besides that of the file
ONE_ORDER = "all runs use one order of the speakers"
FIVE_WEIGHTS = "every order uses the same five initialisations, so the interval does not cover them"
FILED_LATE = "the file order was added as a choice after its runs had been seen"


def arm(system: str, coding: str = "aligned", spread: float = 0.5, order: str = "") -> str:
    """Return the name of an arm."""
    return ".".join([system, coding, f"{spread:g}", *([order] if order else [])])


SIGHTED = ("four_experts", "backprop_6")  # the systems run with every order of speakers
# System -> its arms in the further orders.
IN_ORDERS = {
    system: tuple(arm(system, order=f"order_{n}") for n in range(DRAWN + 1, DRAWN + 1 + ORDERS))
    for system in SIGHTED
}


def by_data(arms: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Group the arms by coding and order of the speakers: one data set per group."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name in dict.fromkeys(arms):
        _, _, rest = name.partition(".")
        coding, _, rest = rest.partition(".")
        order = rest.rpartition(".")[2]
        groups.setdefault((coding, "" if order.isdigit() else order), []).append(name)
    return tuple(map(tuple, groups.values()))


def grouped(claims: list[Claim]) -> list[Claim]:
    """Return the claims, each with its arms grouped by their data."""
    return [replace(claim, same_data=by_data(claim.arms)) for claim in claims]


# A claim over the 25 runs of Table 1, which differ in their initial weights, drawn by seed.
trained = partial(Claim, seeds=25, level="exact-scale-cpu")
