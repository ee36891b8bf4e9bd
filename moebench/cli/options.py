"""What can be said on the command line."""

import argparse
import math

from moebench import __version__
from moebench.cli.arguments import (
    Parser,
    a_file,
    a_folder,
    a_path,
    a_port,
    add_data,
    add_device,
    add_field,
    add_precision,
    add_root,
    machine_settings,
    there,
)
from moebench.cli.exports import add_exports
from moebench.cli.recipes import KINDS

DESCRIPTION = "Claims of mixture-of-experts papers, run and judged."
PROFILES = "smoke, quick, full or gpu, as far as `moebench list` has them (default: %(default)s)"
FILTERS = ("target", "profile", "tag", "since", "until", "records")  # of `compare`
KEPT = 500  # pairs of a profile in the tables of `compare`: more take long and nobody reads them


def parser() -> argparse.ArgumentParser:
    """Return the parser of everything but `fit`."""
    top = Parser(prog="moebench", description=DESCRIPTION)
    top.add_argument("--version", action="version", version=f"moebench {__version__}")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("fit", help="run one experiment; `moebench fit --help` lists every part")
    add_runs(commands)
    add_judging(commands)
    add_checks(commands)
    pairs = commands.add_parser("compare", help="mixtures against dense models of equal cost")
    add_filters(pairs)
    add_exports(commands)
    look = commands.add_parser("analyze", help="look at the routing of a trained model")
    add_analysis(look)
    known = commands.add_parser("data", help="what is known about a text: size, overlap, copies")
    add_description(known)
    write = commands.add_parser("generate", help="let a trained model write text")
    add_sampling(write)
    commands.add_parser("track", help="send to MLflow the records that it does not have")
    ui = commands.add_parser("mlflow", help="open the MLflow UI on loopback")
    ui.add_argument("--port", type=a_port, default=5000, help="(default: %(default)s)")
    add_recipes(commands)
    commands.add_parser("list", help="targets, claims and parts")
    commands.add_parser("doctor", help="check this machine and say what is missing")
    for command in commands.choices.values():
        add_root(command)
    return top


def add_runs(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the commands that make many runs."""
    run = commands.add_parser("reproduce", help="train what is missing, judge a paper's claims")
    run.add_argument("target", help="a name of `moebench list`, or all")
    run.add_argument("--profile", default="quick", help=PROFILES)
    run.add_argument("--seeds", type=int, help="seeds of every arm instead of the profile's")
    search = commands.add_parser("sweep", help="search a space of configurations with Optuna")
    search.add_argument("file", type=a_file, help="a file of configs/sweeps/")
    search.add_argument("--name", default="", help="of the study (default: the file's)")
    search.add_argument("--storage", default="", help="URL of a database for the study")
    for command in (run, search):
        add_training(command)


def add_judging(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the commands that judge the records there are."""
    for name, text in [
        ("verdict", "judge the records there are; trains nothing"),
        ("report", "the same, by the name of what it writes: report.html"),
        ("publish", "make the records the committed evidence and fill in the README tables"),
    ]:
        command = commands.add_parser(name, help=text)
        command.add_argument("target", help="a name of `moebench list`")
        command.add_argument("--profile", default="quick", help=PROFILES)


def add_checks(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the commands by which anybody checks one number."""
    why = commands.add_parser("explain", help="how the verdict on a claim came about, in numbers")
    why.add_argument("claim", help="its id, such as SW21-03")
    why.add_argument("--all", action="store_true", help="each value of very many runs, too")
    once_more = commands.add_parser("rerun", help="make one recorded run again and compare")
    once_more.add_argument("target", help="a name of `moebench list`")
    once_more.add_argument("arm", help="as its record calls it")
    once_more.add_argument("seed", type=int, help="of the record")
    for command in (why, once_more):
        command.add_argument(
            "--profile", default="", help="of a folder of runs (default: the committed records)"
        )


def add_recipes(commands: "argparse._SubParsersAction[Parser]") -> None:
    """Add the command that writes files to begin with."""
    made = commands.add_parser("new", help="write a part or a paper of your own, with its tests")
    made.add_argument("kind", choices=KINDS, help="what to write")
    made.add_argument("name", help="of the module, and in capitals of its class")


def add_training(command: argparse.ArgumentParser) -> None:
    """Add the options of what makes many runs."""
    command.add_argument("--workers", type=int, help="side by side (default: cores or GPUs)")
    command.add_argument(
        "--engine", default="local", help="what carries out the runs (default: %(default)s)"
    )
    command.add_argument(
        "--time-limit",
        type=float,
        default=math.inf,
        metavar="SECONDS",
        help="for each run; one that takes longer counts as timed out (default: none)",
    )
    add_data(command, "that of the configurations")
    add_field(command)
    add_device(command)
    add_precision(command)
    command.add_argument("--no-mlflow", action="store_true", help="keep records only")


def add_filters(command: argparse.ArgumentParser) -> None:
    """Add the options of `compare`."""
    command.add_argument("--target", default="", help="a name of `moebench list`, or sweeps")
    command.add_argument("--profile", default="", help="of a target, or the name of a sweep")
    command.add_argument(
        "--tag", action="append", default=[], help="name=value, of mixtures; as often as needed"
    )
    command.add_argument("--since", default="", help="first day, as 2026-01-31 (UTC)")
    command.add_argument("--until", default="", help="last day")
    command.add_argument(
        "--metric", default="valid/loss", help="less is better (default: %(default)s)"
    )
    command.add_argument("--records", type=a_path, help="a results.jsonl or folder, not MLflow")
    command.add_argument(
        "--all", action="store_true", help=f"not only the best {KEPT} pairs of a profile"
    )
    command.add_argument(
        "--out", type=a_folder, help="folder of the tables (default: <root>/compare...)"
    )


def add_analysis(command: argparse.ArgumentParser) -> None:
    """Add the options of `analyze`."""
    command.add_argument("model", type=a_path, help="a run that kept its weights, or a checkpoint")
    text = command.add_mutually_exclusive_group()
    add_data(text, "the validation text of the run, or of the packages")
    text.add_argument("--source", help="YAML of any other text, as data.source of a configuration")
    add_field(command)
    add_device(command)
    command.add_argument("--tokens", type=int, help="most tokens to read (default: 262144)")
    command.add_argument("--length", type=int, help="of a window (default: the model's, up to 512)")
    command.add_argument(
        "--earlier",
        type=there,
        nargs="+",
        default=[],
        help="states before it, in order of training",
    )
    command.add_argument("--dtype", help="of a checkpoint's weights (default: as it has them)")
    command.add_argument(
        "--out", type=a_folder, help="folder (default: <root>/analysis/<model>...)"
    )


def add_description(command: argparse.ArgumentParser) -> None:
    """Add the options of `data`."""
    command.add_argument("verb", choices=["describe"])
    text = command.add_mutually_exclusive_group()
    text.add_argument("--config", type=a_file, nargs="+", default=[], help="of an experiment")
    add_data(text, "that of the packages")
    text.add_argument("--source", help="YAML of any other text, as data.source of a configuration")
    add_field(command)
    command.add_argument(
        "--vocabulary", type=int, default=1024, help="ids, without --config (default: %(default)s)"
    )


def add_sampling(command: argparse.ArgumentParser) -> None:
    """Add the options of `generate`."""
    command.add_argument("model", type=a_path, help="a run that kept its weights, or a checkpoint")
    command.add_argument(
        "--prompt", action="append", required=True, help="a text to go on from; once or more often"
    )
    add_device(command)
    for option, kind, default, told in [
        ("--tokens", int, 100, "most tokens to write"),
        ("--temperature", float, 1.0, "0: the likeliest token"),
        ("--top-p", float, 1.0, "share of probability drawn from"),
        ("--seed", int, 0, "the same seed writes the same text"),
    ]:
        command.add_argument(
            option, type=kind, default=default, help=f"{told} (default: %(default)s)"
        )
    command.add_argument("--dtype", help="of a checkpoint's weights (default: as it has them)")


def chosen_settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings that a person chose by options: device, precision and text."""
    return {**machine_settings(options), **data_settings(options)}


def data_settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings of a person's own text."""
    arguments = files_arguments(options)
    files = {"class_path": "moebench.data.sources.Files", "init_args": arguments}
    return {"data.source": files} if arguments else {}


def files_arguments(options: argparse.Namespace) -> dict[str, str]:
    """Return the arguments of `Files` for a person's own text, none where there is none.

    Raises:
        ValueError: for a field of no text.
    """
    field = {} if options.field is None else {"field": str(options.field)}
    if options.data is not None:
        return {"path": str(options.data), **field}
    if field:
        raise ValueError(
            f"field={options.field}: names the text in the rows of --data; give --data, too"
        )
    return {}
