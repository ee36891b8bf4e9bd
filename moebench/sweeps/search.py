"""Runs a sweep from its file to its results."""

import itertools
import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from moebench import tracking
from moebench.comparison.measures import value_of
from moebench.evidence.data_name import data_name
from moebench.evidence.record import SWEEPS
from moebench.experiment import DataStamp, naming_configs
from moebench.experiment.dense_twin import dense
from moebench.run.dry_run import dry_run
from moebench.run.execution import Execution
from moebench.run.pausable import Pausable
from moebench.run.scheduler import Scheduler
from moebench.run.sole_user import sole_user
from moebench.run.tracked import watching
from moebench.sweeps.baselines import Baselines
from moebench.sweeps.definition import Sweep
from moebench.sweeps.driver import driven, refuse_driven
from moebench.sweeps.identity import StudyChanged, refuse_changes
from moebench.sweeps.results import FILES, write_results
from moebench.sweeps.storage import answering, existing_storage, open_storage
from moebench.sweeps.study import Study, attributes_in
from moebench.sweeps.trials import Trials

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SearchOptions:
    """What a user may choose about a sweep."""

    root: Path = Path("runs")
    storage: str = ""  # URL of a database; empty for the journal in the sweep's folder
    track: bool = True
    beside: bool = False  # if the name is another search's, start a study beside it
    execution: Execution = field(default_factory=Execution)


def search(sweep: Sweep, options: SearchOptions) -> Path:
    """Make every missing run of a sweep; return the folder of its results.

    Everything that can be checked is checked before anything is written.

    Raises:
        ValueError: for an experiment that does not run, an objective that it does not log, a study
            that belongs to another sweep, or a folder in use.
        ConnectionError: if the storage cannot be reached, or MLflow if it is used.
    """
    sweep = checked_sweep(sweep, options)
    folder, url = options.root / SWEEPS / sweep.name, options.storage
    tracker = tracking.connect(options.root) if options.track else None
    with (
        sole_user(folder),
        answering(folder, url),
        driven(study := Study(sweep, open_storage(folder, url), folder), url),
    ):
        if tracker is not None:
            tags = {"sampler": sweep.sampler.class_name, "objectives": ", ".join(sweep.objectives)}
            tracker.open(folder, {"target": SWEEPS, "profile": sweep.name, **tags})
        try:
            work(study, options.execution, tracker)
            write_results(study)
        except BaseException:  # Ctrl-C as well: no run may stay RUNNING
            if tracker is not None:
                tracker.close({}, [], status="KILLED")
            raise
        if tracker is not None:
            tracker.close({}, [folder / name for name in FILES])
    return folder


def checked_sweep(sweep: Sweep, options: SearchOptions) -> Sweep:
    """Return the sweep with the hash of its data, after the checks that `search` promises."""
    folder = (options.root / SWEEPS / sweep.name).absolute()
    storage = existing_storage(folder, options.storage)  # it must answer
    if options.storage and storage is not None:
        with answering(folder, options.storage):
            refuse_driven(attributes_in(storage, sweep.name), sweep.name, folder, options.storage)
    torch.set_num_threads(1)
    with naming_configs(sweep.configs, sweep.settings):
        record = dry_run(sweep.base)
    for objective in sweep.objectives:
        value_of(record, objective)
    for constraint in sweep.constraints:
        value_of(record, constraint, "constraints")
    if sweep.baselines:
        refuse_without_twin(sweep)
    sweep = replace(sweep, data=DataStamp(record.data_hash, record.data_version))
    if options.beside and not options.storage:
        sweep = named_apart(sweep, options.root)
    else:
        _refuse_another(sweep, options)
    if sweep.baselines and not sweep.tuning:
        log.warning("tuning: none, so the best trial will be compared with untuned dense models")
    return sweep


def named_apart(sweep: Sweep, root: Path) -> Sweep:
    """Return the sweep under the first name whose study is its own or does not exist yet.

    After its own name, names with that of its data are tried. A line names each study passed over.
    """
    apart = f"{sweep.name}_{data_name(sweep.base.config)}"
    numbered = (f"{apart}_{number}" for number in itertools.count(2))
    names = itertools.chain([sweep.name, apart], numbered)
    left: list[str] = []
    while True:
        named = replace(sweep, name=next(names))
        try:
            _refuse_another(named, SearchOptions(root=root))
        except StudyChanged as changed:
            left.append(changed.what)
        else:
            for what in left:
                print(f"{what}; it is left unchanged, and this is study {named.name}")
            return named


def _refuse_another(sweep: Sweep, options: SearchOptions) -> None:
    """Refuse a sweep if the study of its name belongs to another search."""
    folder = options.root / SWEEPS / sweep.name
    storage = existing_storage(folder, options.storage)
    if storage is not None:
        with answering(folder, options.storage):
            refuse_changes(sweep, storage)


def refuse_without_twin(sweep: Sweep) -> None:
    """Refuse baselines of an experiment that has no dense twin."""
    try:
        dense(sweep.base, 1)
    except ValueError as error:
        raise ValueError(
            f"baselines={', '.join(sweep.baselines)}: {error}; [] compares with none"
        ) from error


def work(study: Study, execution: Execution, tracker: tracking.Tracker | None) -> None:
    """Run until trials, baselines and fresh seeds are all done."""
    source = Pausable(study.folder, [Baselines(study), Trials(study)])
    with execution.start() as engine, watching(tracker, study.records()) as watch:
        Scheduler(engine, [source], watch, execution.time_limit).run()


__all__ = ["SearchOptions", "search"]
