"""Sizes that no machine has room for, told as what a person asked for."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

SIGNS = (  # in what torch and numpy raise, which have no class of their own for them
    "can't allocate memory",
    "dimension exceeded",
    "not enough memory",
    "out of memory",
    "overflow when",  # and no more: keys of configurations have the word
    "overflowed",
    "too large",
    "negative dimension",
)


@contextmanager
def naming_sizes() -> Iterator[None]:
    """Turn what is raised for numbers beyond all memory into a refusal of one line.

    Raises:
        ValueError: instead of a MemoryError, an OverflowError, or what torch and numpy raise.
    """
    try:
        yield
    except (MemoryError, OverflowError, RuntimeError, TypeError, ValueError) as error:
        told = str(error).partition("\n")[0]
        if isinstance(error, RuntimeError | TypeError | ValueError) and not re.search(
            "|".join(SIGNS), told, re.IGNORECASE
        ):
            raise
        raise ValueError(
            f"a size of the model, the data or the batch is too large for this machine ({told})"
        ) from error
