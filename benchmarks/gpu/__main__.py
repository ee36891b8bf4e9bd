"""The command `python -m benchmarks.gpu --minutes 10 --out FOLDER`, explained in README.md."""

import argparse
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from benchmarks.gpu.clock import Clock
from benchmarks.gpu.packages import lacking
from moebench.cli.arguments import a_folder, there
from moebench.cli.guard import line_of

# Stage -> its share of the time left when it begins; unused time goes to the next stage.
STAGES = {"parity": 0.12, "layer": 0.3, "train": 0.35, "evidence": 1.0}
FEWEST_MINUTES = 0.1


class OneLine(argparse.ArgumentParser):
    """Reports errors in one line."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            ValueError: with what is wrong.
        """
        raise ValueError(message)


def minutes(text: str) -> float:
    """Parse the option `--minutes`."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not FEWEST_MINUTES <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: must be a number of at least {FEWEST_MINUTES}")
    return value


def stages(text: str) -> list[str]:
    """Parse the option `--only`; stages run in their fixed order."""
    names = text.split(",")
    if unknown := [name for name in names if name not in STAGES]:
        raise argparse.ArgumentTypeError(
            f"{', '.join(unknown)}: one or more of {', '.join(STAGES)}"
        )
    return [name for name in STAGES if name in names]


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    made = OneLine(prog="python -m benchmarks.gpu", description=__doc__, allow_abbrev=False)
    made.add_argument("--minutes", type=minutes, default=10.0, help="time limit")
    made.add_argument("--out", type=a_folder, required=True, help="folder for the records")
    made.add_argument("--only", type=stages, default=list(STAGES), help="stages, comma-separated")
    made.add_argument(
        "--from", dest="earlier", type=there, help="folder of an earlier call to continue"
    )
    made.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu: a small test")
    made.add_argument("--text", type=there, help="token files (default: those in carried/)")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit status."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # before torch initialises CUDA
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # treat SIGTERM like Ctrl-C
    try:
        return measure(parser().parse_args(arguments))
    except (ValueError, OSError) as error:
        print(f"benchmarks.gpu: {line_of(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbenchmarks.gpu: stopped; the same command continues from here", file=sys.stderr)
        return 130


def measure(options: argparse.Namespace) -> int:
    """Run the stages.

    Raises:
        ValueError: if a package or the GPU is missing, or the folder is from another machine.
    """
    clock = Clock(60 * options.minutes)
    if absent := lacking():
        names = ", ".join(absent)
        raise ValueError(f"not installed: {names}; benchmarks/gpu/wheels.sh collects wheels")
    # Modules that need these packages are imported from here on.
    from benchmarks.gpu.session import Session
    from benchmarks.gpu.start import begin, device_of
    from moebench.run.sole_user import sole_user

    device = device_of(options.device)
    with sole_user(options.out):
        folder = begin(options.out, options.earlier, options.text, device)
        for name in options.only:
            share = 1.0 if name == options.only[-1] else STAGES[name]
            stage = importlib.import_module(f"benchmarks.gpu.{name}")
            Session(folder, device, clock.part(share)).go_through(stage.run)
    print(f"{options.out}: {60 * options.minutes - clock.left:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
