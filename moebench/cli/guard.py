"""The one place where what a person got wrong becomes one line and a status."""

import io
import os
import signal
import sys
from collections.abc import Callable

from moebench.evidence.record_files import is_full

REFUSED, STOPPED = 2, 130
OURS = ("moebench", "reproductions", "benchmarks")


def guarded(command: Callable[[], int]) -> int:
    """Run a command; turn what it refuses into one line on stderr and status 2.

    Anything but a ValueError, an OSError or a package that is not installed is a fault of ours and
    keeps its traceback.
    """
    try:
        status = command()
        print(end="", flush=True)  # a few lines are written only now
        return status
    except BrokenPipeError:  # whoever read the output has gone, as `head` does
        _write_nowhere()
        return 128 + signal.SIGPIPE
    except (ValueError, OSError) as error:
        print(f"moebench: {line_of(error)}", file=sys.stderr)
        try:
            print(end="", flush=True)
        except OSError:  # Python would fail on it again at its end
            _write_nowhere()
        return REFUSED
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", *OURS):
            raise
        told = f"the package {package} is not installed; pip installs all that moebench needs"
        print(f"moebench: {told}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        print("\nmoebench: stopped; the same command goes on from here", file=sys.stderr)
        return STOPPED


def show_everything() -> None:
    """Let a terminal that lacks a letter show its number: it is no reason to fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def line_of(error: Exception) -> str:
    """Return what an error says, in one line that begins with the file where there is one."""
    told = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, OSError) and error.errno is not None:
        places = [str(name) for name in (error.filename, error.filename2) if name is not None]
        told = ": ".join([*places, error.strerror or told])
    if is_full(error):
        told += "; what is finished is kept: make room, and the same command goes on"
    return told


def _write_nowhere() -> None:
    """Let whatever is still to be printed go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
