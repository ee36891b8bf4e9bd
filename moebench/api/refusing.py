"""Refusals of functions: what ends a command with status 2 is a ValueError of one line."""

from collections.abc import Iterator
from contextlib import contextmanager

from moebench.cli.guard import line_of


@contextmanager
def one_line() -> Iterator[None]:
    """Turn whatever a command would refuse into a ValueError of the line that it would print.

    Of a file that is missing or a server that does not answer, too: the first cause is kept.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(line_of(error)) from error
