"""How many threads a run computes with; needs no torch, which reads the same variable."""

import os

VARIABLE = "OMP_NUM_THREADS"


def threads_asked() -> int:
    """Return the number in OMP_NUM_THREADS, of a list the first; one where it is not set.

    It changes how sums are rounded, so it must not depend on the number of workers.

    Raises:
        ValueError: if it is no such number.
    """
    given = os.environ.get(VARIABLE) or "1"
    number = given.partition(",")[0].strip()
    if not (number.isascii() and number.isdecimal() and int(number)):
        raise ValueError(f"{VARIABLE}={given}: must be a whole number of at least 1")
    return int(number)
