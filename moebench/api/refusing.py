"""What ends a command with status 2 is a ValueError of one line in Python."""

from collections.abc import Iterator
from contextlib import contextmanager

from moebench.cli.guard import line_of


@contextmanager
def one_line() -> Iterator[None]:
    """Turn whatever a command would refuse into a ValueError with the line that it would print.

    That includes a missing file and a server that does not answer; the cause is kept.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(line_of(error)) from error
