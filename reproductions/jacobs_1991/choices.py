"""What the paper leaves open, as the choices under which claims are judged.

Coding of the targets, range of the initial weights and order of the speakers each need arms of
their own; the tests decide at which step systems are compared. A coding with four outputs is not
among the choices: it would make the systems of Table 1 unequal in size.
"""

from reproductions.jacobs_1991.arms import CODINGS, arm
from reproductions.jacobs_1991.judging import Pair

FILED = "aligned, range 0.5, file order"
RIVALS = (Pair("four_experts", "backprop_6"), Pair("eight_experts", "backprop_12"))


def under(
    *pairs: Pair, ranges: tuple[float, ...] = (0.5,), filed: bool = True
) -> dict[str, tuple[Pair, ...]]:
    """Return pairs of arms for pairs of systems, under every choice that the paper leaves open.

    Args:
        *pairs: the systems.
        ranges: ranges of initial weights, each with both codings.
        filed: whether the file order is also a choice; only the systems of Table 1 were run in it.
    """
    drawn = {
        f"{coding}, range {spread:g}": tuple(
            Pair(arm(one.first, coding, spread), arm(one.second, coding, spread)) for one in pairs
        )
        for spread in ranges
        for coding in CODINGS
    }
    in_file = [Pair(arm(a, order="file"), arm(b, order="file")) for a, b, _ in pairs]
    return {**drawn, **({FILED: tuple(in_file)} if filed else {})}


def coded(*systems: str) -> dict[str, tuple[str, ...]]:
    """Return the arms of several systems under each coding."""
    return {coding: tuple(arm(one, coding) for one in systems) for coding in CODINGS}
