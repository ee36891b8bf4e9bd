"""The command line: `moebench <command>`; what a person got wrong is one line and status 2."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from moebench.cli.options import FILTERS, KEPT, data_settings, files_arguments, parser

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
        status = command()
        sys.stdout.flush()  # a few lines are written only now
        return status
    except BrokenPipeError:  # whoever read the output has gone, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (ValueError, OSError) as error:
        print(f"moebench: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nmoebench: stopped; the same command goes on from here", file=sys.stderr)
        return 130


def fit(arguments: list[str]) -> int:
    """Run one experiment given as LightningCLI arguments."""
    from moebench.cli.fit import fit as run

    return run(arguments)


def reproduce(options: argparse.Namespace) -> int:
    """Reproduce one paper, or all of them."""
    from moebench.cli.reproduce import ReproduceOptions
    from moebench.cli.reproduce import reproduce as run
    from moebench.cli.terminal import shown
    from moebench.papers import target, targets
    from moebench.run.pool import default_workers

    for found in targets() if options.target == "all" else [target(options.target)]:
        chosen = ReproduceOptions(
            profile=options.profile,
            seeds=options.seeds,
            workers=default_workers() if options.workers is None else options.workers,
            root=options.root,
            settings=data_settings(options),
            track=not options.no_mlflow,
        )
        verdicts = run(found, chosen)
        print(shown(found, options.root / found.folder / options.profile, verdicts))
    return 0


def explain(options: argparse.Namespace) -> int:
    """Say how the verdict on a claim came about."""
    from moebench.cli.explain import explain as run

    print(run(options.claim, options.profile, options.root, options.all))
    return 0


def rerun(options: argparse.Namespace) -> int:
    """Make one recorded run again; status 1 where it comes to something else."""
    from moebench.cli.rerun import RerunOptions, Sameness
    from moebench.cli.rerun import rerun as run
    from moebench.papers import target

    chosen = RerunOptions(options.arm, options.seed, options.profile, options.root)
    answer = run(target(options.target), chosen)
    print(answer.text)
    return int(answer.word is Sameness.DIFFERENT)


def sweep(options: argparse.Namespace) -> int:
    """Search a space, compare the winner with its dense baselines on fresh seeds."""
    from moebench.report import sweep_table
    from moebench.run.pool import default_workers
    from moebench.sweeps import SearchOptions, read_sweep, search

    chosen = SearchOptions(
        workers=default_workers() if options.workers is None else options.workers,
        root=options.root,
        storage=options.storage,
        track=not options.no_mlflow,
        beside=not options.name,
    )
    folder = search(read_sweep(options.file, options.name, data_settings(options)), chosen)
    print(sweep_table(folder))
    print(f"report: {folder / 'report.html'}")
    return 0


def analyze(options: argparse.Namespace) -> int:
    """Look at the routing of a trained model."""
    from moebench.cli.analyze import AnalyzeOptions, text_of
    from moebench.cli.analyze import analyze as run

    return run(
        AnalyzeOptions(
            model=options.model,
            out=options.out,
            root=options.root,
            text=text_of(files_arguments(options), options.source),
            tokens=options.tokens,
            length=options.length,
            earlier=tuple(options.earlier),
            dtype=options.dtype,
        )
    )


def data(options: argparse.Namespace) -> int:
    """Describe a text."""
    from moebench.cli.describe import describe

    return describe(options.config, files_arguments(options), options.source, options.vocabulary)


def generate(options: argparse.Namespace) -> int:
    """Let a model write."""
    from moebench.cli.generate import GenerateOptions
    from moebench.cli.generate import generate as run
    from moebench.models.sampling import Sampling

    sampling = Sampling(options.temperature, options.top_p, options.seed)
    return run(
        GenerateOptions(options.model, options.prompt, options.tokens, sampling, options.dtype)
    )


def verdict(options: argparse.Namespace) -> int:
    """Judge the records of a profile again, and write verdicts and report anew."""
    from moebench.cli.reproduce import judge_and_report
    from moebench.cli.terminal import shown
    from moebench.papers import target

    found = target(options.target)
    profile = found.plan.profile(options.profile)
    folder = options.root / found.folder / profile.name
    print(shown(found, folder, judge_and_report(found, profile, folder)))
    return 0


def publish(options: argparse.Namespace) -> int:
    """Commit the records of a profile as evidence."""
    from moebench.cli.publish import publish as run
    from moebench.papers import target

    found = target(options.target)
    print(run(found, options.root / found.folder / found.plan.profile(options.profile).name))
    return 0


def compare(options: argparse.Namespace) -> int:
    """Print and write what mixtures gain over dense models of equal cost."""
    from moebench.cli.page_folders import comparison_folder
    from moebench.comparison import compare as run
    from moebench.comparison import found_runs, wanted, wanted_tags
    from moebench.papers import folder_of
    from moebench.report.comparison.page import comparison_text, write_comparison

    chosen = wanted(folder_of(options.target), options.profile, options.since, options.until)
    tags = wanted_tags(options.tag)
    runs, origin = found_runs(options.root, options.records, chosen)
    comparison = run(runs, options.metric, tags)
    print(comparison_text(comparison))
    kept = comparison if options.all else comparison.best(KEPT)
    origin += "".join(f", mixtures with {name} {value}" for name, value in tags.items())
    if left := comparison.count - kept.count:
        origin += f"; {left} pairs after the best {KEPT} of a profile are left out (--all)"
    filters = {name: getattr(options, name) for name in FILTERS}
    out = options.out or comparison_folder(options.root, filters)
    for path in write_comparison(kept, out, origin):
        print(path)
    return 0


def track(options: argparse.Namespace) -> int:
    """Send finished runs that MLflow lacks."""
    from moebench import tracking
    from moebench.cli.reproduce import partners
    from moebench.papers import targets

    compared = {found.folder: partners(found) for found in targets()}
    print(tracking.send(options.root, partners=compared))
    return 0


def mlflow(options: argparse.Namespace) -> int:
    """Serve the MLflow UI until interrupted."""
    import subprocess

    from moebench import tracking

    command = tracking.ui_command(options.root, options.port)
    print(f"runs: {tracking.ui_address(options.root, options.port)}", flush=True)
    return subprocess.call(command)


def list_all(_: argparse.Namespace) -> int:
    """Print targets with their claims, then the parts of every family."""
    from moebench.cli.listing import listing

    print(listing())
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Print what this machine has; status 1 where something needed is missing."""
    from moebench.cli.doctor import examine

    return examine(options.root)


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "list": list_all,
    "report": verdict,
    **{
        command.__name__: command
        for command in (
            *(analyze, compare, data, doctor, explain, generate, mlflow),
            *(publish, reproduce, rerun, sweep, track, verdict),
        )
    },
}


if __name__ == "__main__":
    sys.exit(main())
