"""What can be said on the command line."""

import argparse

from moebench import __version__
from moebench.cli.arguments import (
    Parser,
    a_file,
    a_folder,
    a_path,
    a_port,
    add_device,
    add_mlflow,
    add_name,
    add_requests,
    add_root,
    add_text,
    there,
)
from moebench.cli.execution_options import add_execution
from moebench.cli.exports import add_exports
from moebench.cli.overview import DESCRIPTION, SAYS, overview, profiles
from moebench.cli.recipes import KINDS

NAMED = "a name of `moebench list`"
MODEL = "a run that kept its weights, or a checkpoint"
SOURCE = "YAML of any other text, as data.source of a configuration (default: none)"
DTYPE = "type of the weights of a checkpoint (default: as it has them)"
CHOICES = ("target", "profile", "tag", "since", "until", "records", "all")  # of `compare`
KEPT = 500  # pairs of a profile in the tables of `compare`: more take long and nobody reads them


def parser() -> Parser:
    """Return the parser of everything but `fit`."""
    top = Parser(
        prog="moebench",
        usage="%(prog)s COMMAND [options]",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.ending = overview
    top.add_argument("--version", action="version", version=f"moebench {__version__}")
    commands = top.add_subparsers(
        dest="command", required=True, prog="moebench", help=argparse.SUPPRESS
    )
    for name, says in SAYS.items():
        commands.add_parser(
            name,
            description=f"{says[0].upper()}{says[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
    known = commands.choices
    add_runs(known["reproduce"], known["sweep"])
    add_plan(known["plan"])
    for name in ("verdict", "report", "publish"):
        known[name].add_argument("target", help=NAMED)
        add_profile(known[name])
    add_checks(known["explain"], known["rerun"])
    add_filters(known["compare"])
    add_exports(known)
    add_analysis(known["analyze"])
    add_description(known["data"])
    add_sampling(known["generate"])
    known["mlflow"].add_argument(
        "--port", type=a_port, default=5000, help="of the page (default: 5000)"
    )
    known["new"].add_argument("kind", choices=KINDS, help="what to write")
    known["new"].add_argument(
        "name", help="of the module; its class has it in capitals, as my_router and MyRouter"
    )
    for command in known.values():
        add_root(command)
    return top


def add_profile(
    command: Parser,
    default: str = "quick",
    told: str = "which runs, and at what size",
    without: str = "%(default)s",
) -> None:
    """Add the option that names a profile, and say at the end of the help which there are.

    Args:
        command: a parser.
        default: the profile without it.
        told: what it says.
        without: the default in words.
    """
    command.add_argument("--profile", default=default, help=f"{told} (default: {without})")
    command.ending = profiles


def add_runs(run: Parser, search: Parser) -> None:
    """Add the options of the commands that make many runs."""
    run.add_argument("target", help=f"{NAMED}, or all")
    add_profile(run)
    run.add_argument("--seeds", type=int, help="seeds of every arm (default: as the profile says)")
    run.add_argument(
        "--records",
        type=a_file,
        metavar="FILE",
        help="a results.jsonl with runs that need not be made again (default: none)",
    )
    search.add_argument("file", type=a_file, help="a file of configs/sweeps/, or your own")
    add_name(search, "study", "that of the file")
    search.add_argument(
        "--storage",
        default="",
        metavar="URL",
        help="database for the study (default: a file in the folder of the sweep)",
    )
    add_requests(search)
    for command in (run, search):
        add_text(command, "that of the configurations")
        add_execution(command)
        add_mlflow(command)


def add_plan(command: Parser) -> None:
    """Add the options of `plan`."""
    command.add_argument("target", help=NAMED)
    add_profile(command, "full")
    command.add_argument(
        "--pilots",
        type=int,
        metavar="SEEDS",
        help="first train so many seeds of every arm that judge nothing (default: train nothing)",
    )
    add_text(command, "that of the configurations")
    add_execution(command)


def add_checks(why: Parser, once_more: Parser) -> None:
    """Add the options of the commands by which anybody checks one number."""
    why.add_argument("claim", help="its id, such as SW21-03")
    why.add_argument(
        "--all", action="store_true", help="show every value, however many runs there are"
    )
    once_more.add_argument("target", help=NAMED)
    once_more.add_argument("arm", help="as its record calls it")
    once_more.add_argument("seed", type=int, help="of the record")
    for command in (why, once_more):
        add_profile(command, "", "whose runs under --root to take", "the committed ones")


def add_filters(command: Parser) -> None:
    """Add the options of `compare`."""
    which = command.add_argument_group("runs")
    which.add_argument("--target", default="", help=f"{NAMED}, or sweeps (default: all)")
    which.add_argument("--profile", default="", help="of it, or a sweep's name (default: all)")
    which.add_argument(
        "--tag",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="only mixtures that have it; repeat it for several (default: none)",
    )
    which.add_argument("--since", default="", help="first day, as 2026-01-31 (UTC; default: any)")
    which.add_argument("--until", default="", help="last day (default: any)")
    which.add_argument(
        "--records",
        type=a_path,
        metavar="PATH",
        help="a results.jsonl, or a folder of all runs (default: the runs in MLflow)",
    )
    command.ending = profiles
    command.add_argument(
        "--metric",
        default="valid/loss",
        help="what is compared; less is better (default: %(default)s)",
    )
    command.add_argument(
        "--all", action="store_true", help=f"all pairs, not only the best {KEPT} of a profile"
    )
    command.add_argument(
        "--out",
        type=a_folder,
        metavar="FOLDER",
        help="where the tables go (default: <root>/compare, and a folder for each choice)",
    )


def add_analysis(command: Parser) -> None:
    """Add the options of `analyze`."""
    command.add_argument("model", type=a_path, help=MODEL)
    text = add_text(command, "the validation text of the run, or of the packages")
    text.add_argument("--source", help=SOURCE)
    add_device(command)
    command.add_argument("--tokens", type=int, help="most tokens to read (default: 262144)")
    command.add_argument(
        "--length", type=int, help="tokens of a window (default: the model's context, up to 512)"
    )
    command.add_argument(
        "--earlier",
        type=there,
        nargs="+",
        default=[],
        metavar="MODEL",
        help="earlier states of the model, the oldest first (default: none)",
    )
    command.add_argument("--dtype", help=DTYPE)
    place = command.add_mutually_exclusive_group()
    add_name(place, "analysis", "the model, and what was asked for")
    place.add_argument(
        "--out",
        type=a_folder,
        metavar="FOLDER",
        help="where its page goes (default: <root>/analysis/<name>)",
    )


def add_description(command: Parser) -> None:
    """Add the options of `data`."""
    command.add_argument(
        "verb", choices=["describe"], metavar="describe", help="print its description"
    )
    text = add_text(command, "that of the packages")
    text.add_argument(
        "--config",
        type=a_file,
        nargs="+",
        default=[],
        metavar="FILE",
        help="of an experiment, whose text is described (default: none)",
    )
    text.add_argument("--source", help=SOURCE)
    command.add_argument(
        "--vocabulary", type=int, default=1024, help="ids, without --config (default: %(default)s)"
    )


def add_sampling(command: Parser) -> None:
    """Add the options of `generate`."""
    command.add_argument("model", type=a_path, help=MODEL)
    command.add_argument(
        "--prompt", action="append", required=True, help="text to go on from; once or more often"
    )
    add_device(command)
    for option, kind, default, told in [
        ("--tokens", int, 100, "most tokens to write"),
        ("--temperature", float, 1.0, "0: always the likeliest token"),
        ("--top-p", float, 1.0, "share of the probability to draw from"),
        ("--seed", int, 0, "the same seed writes the same text"),
    ]:
        command.add_argument(
            option, type=kind, default=default, help=f"{told} (default: %(default)s)"
        )
    command.add_argument("--dtype", help=DTYPE)
