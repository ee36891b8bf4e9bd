"""Numbers as a paper prints them (1.2T, 96.6B, 130M), and how far a count is from one of them.

Example:
    units_off(96.59e9, "96.6B")  # 0.1 of the last printed digit: that is how it is rounded
    units_off(14.0e9, "20B")  # 0.6: more than half a unit, so it does not add up
"""

import re

_SUFFIXES = {"": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_PRINTED = re.compile(r"(?P<whole>\d+)(?:\.(?P<part>\d+))?(?P<suffix>[KMBT]?)")


def value_and_unit(printed: str) -> tuple[float, float]:
    """Return a printed number and the value of one in its last digit.

    Zeros at the end of a whole number are not taken for digits, as most are there to fill places:
    600B is a number of hundreds of billions. Those after a point are digits: 1.700B has four.

    Raises:
        ValueError: for anything but digits, a point, and one of K, M, B and T.
    """
    found = _PRINTED.fullmatch(printed)
    if found is None:
        raise ValueError(f"printed={printed}: must be a number, and may end in K, M, B or T")
    whole, part, suffix = found["whole"], found["part"], _SUFFIXES[found["suffix"]]
    zeros = 0 if part else len(whole) - len(whole.rstrip("0") or whole)
    unit = 10.0 ** -len(part) if part else 10.0**zeros
    return float(f"{whole}.{part or 0}") * suffix, unit * suffix


def units_off(count: float, printed: str) -> float:
    """Return how far a count is from a printed number, in units of its last digit.

    Up to half a unit is rounding.

    Raises:
        ValueError: as `value_and_unit`.
    """
    value, unit = value_and_unit(printed)
    return abs(count - value) / unit
