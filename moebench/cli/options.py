"""What can be said on the command line."""

import argparse
from pathlib import Path

from moebench import __version__

DESCRIPTION = "Claims of mixture-of-experts papers, run and judged."
FILTERS = ("target", "profile", "tag", "since", "until", "records")  # of `compare`
KEPT = 500  # pairs of a profile in the tables of `compare`: more take long and nobody reads them


def parser() -> argparse.ArgumentParser:
    """Return the parser of everything but `fit`."""
    top = argparse.ArgumentParser(prog="moebench", description=DESCRIPTION)
    top.add_argument("--version", action="version", version=f"moebench {__version__}")
    commands = top.add_subparsers(dest="command", required=True)
    commands.add_parser("fit", help="run one experiment; `moebench fit --help` lists every part")
    run = commands.add_parser("reproduce", help="train what is missing, judge a paper's claims")
    run.add_argument("target", help="a name of `moebench list`, or all")
    run.add_argument("--profile", default="quick", help="smoke, quick (default) or full")
    run.add_argument("--seeds", type=int, help="seeds of every arm instead of the profile's")
    search = commands.add_parser("sweep", help="search a space of configurations with Optuna")
    search.add_argument("file", type=Path, help="a file of configs/sweeps/")
    search.add_argument("--name", default="", help="of the study (default: the file's)")
    search.add_argument("--storage", default="", help="URL of a database that machines share")
    for command in (run, search):
        add_training(command)
    for name, text in [
        ("verdict", "judge the records there are; trains nothing"),
        ("report", "the same, by the name of what it writes: report.html"),
        ("publish", "make the records the committed evidence and fill in the README tables"),
    ]:
        command = commands.add_parser(name, help=text)
        command.add_argument("target", help="a name of `moebench list`")
        command.add_argument("--profile", default="quick", help="whose records")
    add_checks(commands)
    pairs = commands.add_parser("compare", help="mixtures against dense models of equal cost")
    add_filters(pairs)
    look = commands.add_parser("analyze", help="look at the routing of a trained model")
    add_analysis(look)
    known = commands.add_parser("data", help="what is known about a text: size, overlap, copies")
    add_description(known)
    write = commands.add_parser("generate", help="let a trained model write text")
    add_sampling(write)
    commands.add_parser("track", help="send to MLflow the records that it does not have")
    ui = commands.add_parser("mlflow", help="open the MLflow UI on loopback")
    ui.add_argument("--port", type=int, default=5000)
    commands.add_parser("list", help="targets, claims and parts")
    commands.add_parser("doctor", help="check this machine and say what is missing")
    for command in commands.choices.values():
        command.add_argument("--root", type=Path, default=Path("runs"), help="folder of all runs")
    return top


def add_checks(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
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


def add_training(command: argparse.ArgumentParser) -> None:
    """Add the options of what makes many runs."""
    command.add_argument("--workers", type=int, help="side by side (default: cores or GPUs)")
    command.add_argument("--data", type=Path, help="a text file or folder, not the default")
    add_field(command)
    command.add_argument("--no-mlflow", action="store_true", help="keep records only")


def add_field(command: argparse.ArgumentParser) -> None:
    """Add the option that says where the text of `--data` is."""
    command.add_argument(
        "--field", help="of the text in .jsonl and .parquet files of --data (default: text)"
    )


def add_filters(command: argparse.ArgumentParser) -> None:
    """Add the options of `compare`."""
    command.add_argument("--target", default="", help="a name of `moebench list`, or sweeps")
    command.add_argument("--profile", default="", help="of a target, or the name of a sweep")
    command.add_argument(
        "--tag", action="append", default=[], help="name=value, of mixtures; as often as needed"
    )
    command.add_argument("--since", default="", help="first day, as 2026-01-31 (UTC)")
    command.add_argument("--until", default="", help="last day")
    command.add_argument("--metric", default="valid/loss", help="less is better")
    command.add_argument("--records", type=Path, help="a results.jsonl or folder, not MLflow")
    command.add_argument(
        "--all", action="store_true", help=f"not only the best {KEPT} pairs of a profile"
    )
    command.add_argument(
        "--out", type=Path, help="folder of the tables (default: <root>/compare...)"
    )


def add_analysis(command: argparse.ArgumentParser) -> None:
    """Add the options of `analyze`."""
    command.add_argument("model", type=Path, help="a run that kept its weights, or a checkpoint")
    text = command.add_mutually_exclusive_group()
    text.add_argument("--data", type=Path, help="a text file, or a folder with one a domain")
    text.add_argument("--source", help="YAML of any other text, as data.source of a configuration")
    add_field(command)
    command.add_argument("--tokens", type=int, help="most tokens to read (default: 262144)")
    command.add_argument("--length", type=int, help="of a window (default: the model's, up to 512)")
    command.add_argument(
        "--earlier", type=Path, nargs="+", default=[], help="states before it, in order of training"
    )
    command.add_argument("--dtype", help="of a checkpoint's weights (default: as it has them)")
    command.add_argument("--out", type=Path, help="folder (default: <root>/analysis/<model>...)")


def add_description(command: argparse.ArgumentParser) -> None:
    """Add the options of `data`."""
    command.add_argument("verb", choices=["describe"])
    text = command.add_mutually_exclusive_group()
    text.add_argument("--config", type=Path, nargs="+", default=[], help="of an experiment")
    text.add_argument("--data", type=Path, help="a text file, or a folder with one a domain")
    text.add_argument("--source", help="YAML of any other text, as data.source of a configuration")
    add_field(command)
    command.add_argument("--vocabulary", type=int, default=1024, help="ids, without --config")


def add_sampling(command: argparse.ArgumentParser) -> None:
    """Add the options of `generate`."""
    command.add_argument("model", type=Path, help="a run that kept its weights, or a checkpoint")
    command.add_argument(
        "--prompt", action="append", required=True, help="a text to go on from; once or more often"
    )
    command.add_argument("--tokens", type=int, default=100, help="most tokens to write")
    command.add_argument("--temperature", type=float, default=1.0, help="0: the likeliest token")
    command.add_argument("--top-p", type=float, default=1.0, help="share of probability drawn from")
    command.add_argument("--seed", type=int, default=0, help="the same seed writes the same text")
    command.add_argument("--dtype", help="of a checkpoint's weights (default: as it has them)")


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
