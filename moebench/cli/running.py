"""The commands that train: what is imported late needs torch, and mistakes are told before."""

import argparse

from moebench.cli.arguments import refuse_unwritable
from moebench.cli.chosen_settings import chosen_settings, machine_settings
from moebench.cli.execution_options import execution_of
from moebench.cli.fit_options import FIRST, fit_options, fit_parser
from moebench.evidence.record import SWEEPS
from moebench.papers import Target, target, targets
from moebench.run.fork_server import start_server

# The server of workers is started first: it imports torch while the command does.


def fit(arguments: list[str]) -> int:
    """Run one experiment, or print what can be said of one."""
    asked = fit_options(arguments)
    if asked.page is not None:
        print(told_on(asked.page).rstrip())
        return 0
    start_server()
    from moebench.cli.fit import fit as run

    return run(asked)


def told_on(page: str) -> str:
    """Return a page of the help of `fit`."""
    if page == FIRST:
        return fit_parser().format_help()
    from moebench.cli import keys_help

    return keys_help.page(page)


def reproduce(options: argparse.Namespace) -> int:
    """Reproduce one paper, or all of them; of all, a text is for those that train on one."""
    settings = chosen_settings(options)
    every = options.target == "all"
    if every and options.records is not None:
        raise ValueError("--records: has the runs of one paper; name it in place of `all`")
    chosen = _all_with(options.profile) if every else [target(options.target)]
    execution = execution_of(options)
    for found in chosen:  # before torch is imported
        found.plan.profile(options.profile)
    start_server()
    from moebench.cli.reproduce import ReproduceOptions, trains_on_text
    from moebench.cli.reproduce import reproduce as run
    from moebench.cli.terminal import shown

    for found in chosen:
        textless = every and not trains_on_text(found, found.plan.profile(options.profile))
        wanted = ReproduceOptions(
            profile=options.profile,
            seeds=options.seeds,
            root=options.root,
            settings=machine_settings(options) if textless else settings,
            track=not options.no_mlflow,
            execution=execution,
            records=options.records,
        )
        verdicts = run(found, wanted)
        print(shown(found, options.root / found.folder / options.profile, verdicts))
    return 0


def _all_with(profile: str) -> list[Target]:
    """Return the papers that have a profile; all of them where none has, so that it is refused."""
    having = [one for one in targets() if profile in (p.name for p in one.plan.profiles)]
    return having or list(targets())


def plan(options: argparse.Namespace) -> int:
    """Say what the runs of a profile take and can decide; train pilots first if asked to."""
    from moebench.cli.plan_table import plan_text

    found = target(options.target)
    profile = found.plan.profile(options.profile)
    execution = execution_of(options)
    settings = chosen_settings(options)
    if options.pilots is not None:
        refuse_unwritable(options.root)
        start_server()
        from moebench.cli.pilots import run_pilots

        run_pilots(found, profile, options.pilots, options.root, settings, execution)
    elif settings:
        raise ValueError(f"{', '.join(settings)}: only pilots are trained; add --pilots")
    print(plan_text(found, profile, options.root, options.format))
    return 0


def rerun(options: argparse.Namespace) -> int:
    """Make one recorded run again; status 1 where it comes to something else."""
    from moebench.cli.lookup import kept, recorded

    found = target(options.target)
    records = kept(found, options.profile, options.root)
    one = recorded(records, options.arm, options.seed)  # before torch is imported
    from moebench.cli.rerun import Sameness
    from moebench.cli.rerun import rerun as run

    answer = run(found, records, one, options.root)
    print(answer.text)
    return int(answer.word is Sameness.DIFFERENT)


def sweep(options: argparse.Namespace) -> int:
    """Search a space, compare the winner with its dense baselines on fresh seeds."""
    from moebench.papers.yaml_files import read_yaml

    read_yaml(options.file)  # before torch is imported
    if options.request:
        from moebench.run.driver_requests import ask_driver

        name = options.name or options.file.stem
        print(ask_driver(options.root / SWEEPS / name, options.request))
        return 0
    start_server()
    from moebench.report import sweep_table
    from moebench.sweeps import SearchOptions, read_sweep, search

    settings = chosen_settings(options)
    chosen = SearchOptions(
        root=options.root,
        storage=options.storage,
        track=not options.no_mlflow,
        beside=not options.name,
        execution=execution_of(options),
    )
    folder = search(read_sweep(options.file, options.name, settings), chosen)
    print(sweep_table(folder))
    print(f"report: {folder / 'report.html'}")
    return 0
