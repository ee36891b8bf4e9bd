"""The options by which a person says how runs are carried out."""

import argparse
import math

from moebench.cli.arguments import add_machine
from moebench.run.engines.profile import LOCAL, engine_profile
from moebench.run.execution import Execution


def add_execution(command: argparse.ArgumentParser) -> None:
    """Add the options of the machine, and of who carries out runs, how many at once, how long."""
    group = add_machine(command)
    group.add_argument(
        "--workers",
        type=int,
        help="runs side by side (default: one per core, or per GPU; as many as fit on a cluster)",
    )
    group.add_argument(
        "--engine",
        default=LOCAL,
        metavar="NAME|FILE",
        help="what carries out the runs; a YAML file gives its options (default: %(default)s)",
    )
    add_time_limit(group, "each run")


def add_time_limit(command: "argparse._ActionsContainer", what: str) -> None:
    """Add the option that says how long something may take."""
    command.add_argument(
        "--time-limit",
        type=float,
        default=math.inf,
        metavar="SECONDS",
        help=f"for {what}; one that takes longer counts as timed out (default: none)",
    )


def execution_of(options: argparse.Namespace) -> Execution:
    """Return how runs are to be carried out.

    Raises:
        ValueError: for no workers, no time, or an engine that there is not.
        FileNotFoundError: if the engine is a file that there is not.
    """
    return Execution(options.workers, engine_profile(options.engine), options.time_limit)
