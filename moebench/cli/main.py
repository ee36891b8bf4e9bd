"""The command line: `moebench <command>`; what a person got wrong is one line and status 2."""

import argparse
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

from moebench.cli.arguments import refuse_unwritable
from moebench.cli.chosen_settings import files_arguments
from moebench.cli.exports import cite
from moebench.cli.fit_options import check_name
from moebench.cli.guard import guarded, show_everything
from moebench.cli.here import find_modules_here
from moebench.cli.options import CHOICES, KEPT, parser
from moebench.cli.overview import SAYS
from moebench.cli.recipes import new
from moebench.cli.running import fit, plan, reproduce, rerun, sweep
from moebench.papers import folder_of, target, targets
from moebench.papers.nearest import nearest
from moebench.run.threads import threads_asked

# Modules that need torch or mlflow are imported by the command that uses them: `--help` is instant.
# New objects before garbage is looked for: at Python's 700, importing torch takes a second longer.
GARBAGE_AFTER = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to end: as with Ctrl-C
    if arguments is None:  # a caller has streams of its own
        show_everything()
        gc.set_threshold(GARBAGE_AFTER)
    return guarded(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command that is given; without one, say which there are."""
    if arguments is None:  # a caller has a path of its own
        find_modules_here()
    threads_asked()  # before torch is imported, which would complain in its own words
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] in ([], ["help"]):
        given = [*given[1:], "--help"]
    if given[0] == "fit":  # its options are generated from the parts themselves
        return fit(given[1:])
    if not given[0].startswith("-") and given[0] not in COMMANDS:
        raise ValueError(_unknown(given[0]))
    options = parser().parse_args(given)
    if options.command in WRITING:
        refuse_unwritable(getattr(options, "out", None) or options.root)
    return COMMANDS[options.command](options)


def _unknown(word: str) -> str:
    """Say what is meant by a word that is no command, or which commands come nearest to it."""
    if any(word in (found.name, found.folder) for found in targets()):
        return f"{word}: is a paper; `moebench reproduce {word}` reproduces it"
    return f"command={word}: unknown; {nearest(word, SAYS)}; `moebench help` lists all"


def explain(options: argparse.Namespace) -> int:
    """Say how the verdict on a claim came about."""
    from moebench.cli.explain import explain as run

    print(run(options.claim, options.profile, options.root, options.all))
    return 0


def analyze(options: argparse.Namespace) -> int:
    """Look at the routing of a trained model."""
    check_name(options.name)
    named = options.root / "analysis" / options.name if options.name else None
    from moebench.cli.analyze import AnalyzeOptions, text_of
    from moebench.cli.analyze import analyze as run

    return run(
        AnalyzeOptions(
            model=options.model,
            out=options.out or named,
            root=options.root,
            text=text_of(files_arguments(options), options.source),
            tokens=options.tokens,
            length=options.length,
            earlier=tuple(options.earlier),
            dtype=options.dtype,
            device=options.device,
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
        GenerateOptions(
            *(options.model, options.prompt, options.tokens, sampling, options.dtype),
            device=options.device,
        )
    )


def verdict(options: argparse.Namespace) -> int:
    """Judge the records of a profile again, and write verdicts and report anew."""
    from moebench.cli.lookup import results_in

    found = target(options.target)
    profile = found.plan.profile(options.profile)
    folder = options.root / found.folder / profile.name
    results_in(folder, found)  # before torch is imported
    from moebench.cli.judging import judge_and_report
    from moebench.cli.terminal import shown

    print(shown(found, folder, judge_and_report(found, profile, folder), options.format))
    return 0


def publish(options: argparse.Namespace) -> int:
    """Commit the records of a profile as evidence."""
    from moebench.cli.lookup import results_in

    found = target(options.target)
    folder = options.root / found.folder / found.plan.profile(options.profile).name
    results_in(folder, found)  # before torch is imported
    from moebench.cli.publish import publish as run

    print(run(found, folder))
    return 0


def compare(options: argparse.Namespace) -> int:
    """Print and write what mixtures gain over dense models of equal cost."""
    from moebench.cli.page_folders import comparison_folder
    from moebench.comparison import compare as run
    from moebench.comparison import found_runs, wanted, wanted_tags
    from moebench.comparison.pairs import METRIC

    chosen = wanted(folder_of(options.target), options.profile, options.since, options.until)
    tags = wanted_tags(options.tag)
    runs, origin = found_runs(options.root, options.records, chosen)
    from moebench.report.comparison.page import comparison_text, write_comparison  # draws

    comparison = run(runs, options.metric, tags)
    print(comparison_text(comparison, options.format))
    kept = comparison if options.all else comparison.best(KEPT)
    origin += "".join(f", mixtures with {name} {value}" for name, value in tags.items())
    if left := comparison.count - kept.count:
        origin += f"; {left} pairs after the best {KEPT} of a profile are left out (--all)"
    choices = {name: getattr(options, name) for name in CHOICES}
    choices["metric"] = options.metric if options.metric != METRIC else ""
    out = options.out or comparison_folder(options.root, choices)
    for path in write_comparison(kept, out, origin):
        print(path, file=sys.stderr if options.format else sys.stdout)
    return 0


def track(options: argparse.Namespace) -> int:
    """Send finished runs that MLflow lacks."""
    from moebench import tracking
    from moebench.cli.partners import partners

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
            *(analyze, cite, compare, data, doctor, explain, generate, mlflow, new),
            *(plan, publish, reproduce, rerun, sweep, track, verdict),
        )
    },
}
WRITING = {
    "analyze",
    "compare",
    "mlflow",
    "report",
    "reproduce",
    "rerun",
    "sweep",
    "track",
    "verdict",
}


if __name__ == "__main__":
    sys.exit(main())
