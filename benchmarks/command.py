"""The command line of a benchmark: what cannot be measured is refused in one line."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import wraps

from moebench.cli.arguments import DEVICES, Parser
from moebench.cli.guard import REFUSED, STOPPED, line_of
from moebench.run.machine import device_of
from moebench.run.too_large import naming_sizes


def parser(name: str, description: str | None) -> Parser:
    """Return the parser of a benchmark, without options yet.

    Args:
        name: of its module.
        description: for its help.
    """
    return Parser(prog=f"python -m {name}", description=description)


def whole_number(least: int = 1, multiple_of: int = 1) -> Callable[[str], int]:
    """Return a parser of whole-number options for argparse."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ArgumentTypeError(f"{text}: must be a whole number of {least} or more")
        if int(text) % multiple_of:
            raise ArgumentTypeError(f"{text}: must be a multiple of {multiple_of}")
        return int(text)

    return read


number_of_rounds = whole_number(2)  # one round alone has no quartiles


def add_device(command: Parser) -> None:
    """Add the option that says what to measure on."""
    command.add_argument(
        "--device",
        type=_device,
        default=device_of(None),
        help=f"{' or '.join(DEVICES)} (default: a GPU if there is one)",
    )


def _device(text: str) -> str:
    """Read the name of a device that is here."""
    if text not in DEVICES:
        raise ArgumentTypeError(f"{text!r}: must be {' or '.join(DEVICES)}")
    try:
        return device_of(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error


def one_line(main: Callable[[], None]) -> Callable[[], None]:
    """Turn what a benchmark refuses into one line on stderr and status 2.

    Anything but a ValueError or an OSError is a fault of ours and keeps its traceback, sizes that
    no machine has room for aside.
    """

    @wraps(main)
    def run() -> None:
        try:
            with naming_sizes():
                main()
        except (ValueError, OSError) as error:
            print(f"benchmarks: {line_of(error)}", file=sys.stderr)
            raise SystemExit(REFUSED) from error
        except KeyboardInterrupt:
            print("\nbenchmarks: stopped", file=sys.stderr)
            raise SystemExit(STOPPED) from None

    return run
