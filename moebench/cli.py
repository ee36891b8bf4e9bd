"""The command line: `moebench <command>`; what a person got wrong is one line and status 2."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# Modules that need torch or mlflow are imported by the command that uses them: `--help` is instant.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end: as with Ctrl-C
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["fit"]:  # its options are generated from the parts themselves
        return _guarded(lambda: fit(given[1:]))
    options = parser().parse_args(given)
    return _guarded(lambda: COMMANDS[options.command](options))


def _guarded(command: Callable[[], int]) -> int:
    """Run a command; turn refusals into one line."""
    try:
        return command()
    except (ValueError, FileNotFoundError, ConnectionError) as error:
        print(f"moebench: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nmoebench: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of everything but `fit`."""
    top = argparse.ArgumentParser(prog="moebench", description=__doc__)
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
        command.add_argument("--workers", type=int, help="side by side (default: cores or GPUs)")
        command.add_argument("--data", type=Path, help="a text file or folder, not the default")
        command.add_argument("--no-mlflow", action="store_true", help="keep records only")
    for name, text in [
        ("verdict", "judge the records there are; trains nothing"),
        ("report", "the same, by the name of what it writes: report.html"),
        ("publish", "make the records the committed evidence and fill in the README tables"),
    ]:
        command = commands.add_parser(name, help=text)
        command.add_argument("target", help="a name of `moebench list`")
        command.add_argument("--profile", default="quick", help="whose records")
    write = commands.add_parser("generate", help="let a trained model write text")
    write.add_argument("model", type=Path, help="a run that kept its weights, or a checkpoint")
    write.add_argument("--prompt", required=True, help="the text to go on from")
    write.add_argument("--tokens", type=int, default=100, help="most tokens to write")
    write.add_argument("--temperature", type=float, default=1.0, help="0: the most probable token")
    write.add_argument("--top-p", type=float, default=1.0, help="share of probability drawn from")
    write.add_argument("--seed", type=int, default=0, help="the same seed writes the same text")
    write.add_argument("--dtype", help="of a checkpoint's weights (default: as it has them)")
    commands.add_parser("track", help="send to MLflow the records that it does not have")
    ui = commands.add_parser("mlflow", help="open the MLflow UI on loopback")
    ui.add_argument("--port", type=int, default=5000)
    commands.add_parser("list", help="targets, claims and parts")
    commands.add_parser("doctor", help="check this machine and say what is missing")
    for command in commands.choices.values():
        command.add_argument("--root", type=Path, default=Path("runs"), help="folder of all runs")
    return top


def fit(arguments: list[str]) -> int:
    """Run one experiment given as LightningCLI arguments."""
    from moebench.fit import fit as run

    return run(arguments)


def reproduce(options: argparse.Namespace) -> int:
    """Reproduce one paper, or all of them."""
    from moebench.reproduce import Options
    from moebench.reproduce import reproduce as run
    from moebench.run.pool import default_workers
    from moebench.targets import FOLDERS, target
    from moebench.verdict.table import table

    for name in FOLDERS if options.target == "all" else [options.target]:
        chosen = Options(
            profile=options.profile,
            seeds=options.seeds,
            workers=default_workers() if options.workers is None else options.workers,
            root=options.root,
            settings=data_settings(options),
            track=not options.no_mlflow,
        )
        found = target(name)
        print(table(run(found, chosen)))
        print(f"report: {options.root / found.folder / options.profile / 'report.html'}")
    return 0


def data_settings(options: argparse.Namespace) -> dict[str, object]:
    """Return the settings of a person's own text."""
    if options.data is None:
        return {}
    files = {"class_path": "moebench.data.sources.Files"}
    return {"data.source": {**files, "init_args": {"path": str(options.data)}}}


def sweep(options: argparse.Namespace) -> int:
    """Search a space, compare the winner with its dense baselines on fresh seeds."""
    from moebench.report import sweep_table
    from moebench.run.pool import default_workers
    from moebench.sweep import Options, read_sweep, search

    chosen = Options(
        workers=default_workers() if options.workers is None else options.workers,
        root=options.root,
        storage=options.storage,
        track=not options.no_mlflow,
    )
    folder = search(read_sweep(options.file, options.name, data_settings(options)), chosen)
    print(sweep_table(folder))
    print(f"report: {folder / 'report.html'}")
    return 0


def generate(options: argparse.Namespace) -> int:
    """Let a model write."""
    from moebench.generate import Options
    from moebench.generate import generate as run
    from moebench.sampling import Sampling

    sampling = Sampling(options.temperature, options.top_p, options.seed)
    return run(Options(options.model, options.prompt, options.tokens, sampling, options.dtype))


def verdict(options: argparse.Namespace) -> int:
    """Judge the records of a profile again, and write verdicts and report anew."""
    from moebench.reproduce import conclude
    from moebench.targets import target
    from moebench.verdict.table import table

    found = target(options.target)
    profile = found.plan.profile(options.profile)
    folder = options.root / found.folder / profile.name
    print(table(conclude(found, profile, folder)))
    print(f"report: {folder / 'report.html'}")
    return 0


def publish(options: argparse.Namespace) -> int:
    """Commit the records of a profile as evidence."""
    from moebench.publish import publish as run
    from moebench.targets import target

    found = target(options.target)
    print(run(found, options.root / found.folder / found.plan.profile(options.profile).name))
    return 0


def track(options: argparse.Namespace) -> int:
    """Send finished runs that MLflow lacks."""
    from moebench import tracking
    from moebench.reproduce import partners
    from moebench.targets import FOLDERS, target

    compared = {folder: partners(target(name)) for name, folder in FOLDERS.items()}
    print(tracking.send(options.root, partners=compared))
    return 0


def mlflow(options: argparse.Namespace) -> int:
    """Serve the MLflow UI until interrupted."""
    import subprocess

    from moebench import tracking

    return subprocess.call(tracking.ui_command(options.root, options.port))


def list_all(_: argparse.Namespace) -> int:
    """Print targets with their claims, then the parts of every family."""
    from moebench.listing import listing

    print(listing())
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Print what this machine has; status 1 where something needed is missing."""
    from moebench.doctor import examine

    return examine(options.root)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "doctor": doctor,
    "generate": generate,
    "list": list_all,
    "mlflow": mlflow,
    "publish": publish,
    "report": verdict,
    "reproduce": reproduce,
    "sweep": sweep,
    "track": track,
    "verdict": verdict,
}
