"""Runs a sweep from its file to its results, on any number of machines."""

import itertools
import logging
import socket
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch

from moebench import tracking
from moebench.evidence.data_name import data_name
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_whole
from moebench.experiment import DataStamp, naming_configs
from moebench.experiment.dense_twin import dense
from moebench.run.job import Job
from moebench.run.pool import Pool, sole_user
from moebench.run.progress import Progress
from moebench.sweeps.active_trials import ActiveTrials
from moebench.sweeps.baseline_runs import BaselineRuns
from moebench.sweeps.definition import SWEEPS, Sweep
from moebench.sweeps.dry_run import dry_run
from moebench.sweeps.leases import Leases
from moebench.sweeps.results import FILES, write_results
from moebench.sweeps.running_trial import value_of
from moebench.sweeps.storage import answering, existing_storage, open_storage
from moebench.sweeps.trial_queue import StudyChanged, TrialQueue, refuse_changes

log = logging.getLogger(__name__)

OWNER = "owner"  # file with the name under which this folder's process leases trials


class Source(Protocol):
    """Where runs come from."""

    @property
    def done(self) -> bool:
        """Whether no more will come."""

    def next(self) -> Job | None:
        """Return a run to start now; None if there is none."""

    def ended(self, job: Job, record: RunRecord) -> bool:
        """Accept a record if the run came from here."""

    def watch(self) -> None:
        """Look after the running jobs."""


@dataclass(frozen=True)
class SearchOptions:
    """What a user may choose about a sweep."""

    workers: int = 1
    root: Path = Path("runs")
    storage: str = ""  # URL of a database; empty for the journal in the sweep's folder
    track: bool = True
    beside: bool = False  # if the name is another search's, start a study beside it

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers={self.workers}: must be at least 1")


def search(sweep: Sweep, options: SearchOptions) -> Path:
    """Make every missing run of a sweep; return the folder of its results.

    Everything that can be checked is checked before anything is written.

    Raises:
        ValueError: for an experiment that does not run, an objective that it does not log, a study
            that belongs to another sweep, or a folder in use.
        ConnectionError: if the storage cannot be reached, or MLflow if it is used.
    """
    sweep = checked_sweep(sweep, options)
    folder = options.root / SWEEPS / sweep.name
    tracker = tracking.connect(options.root) if options.track else None
    with sole_user(folder), answering(folder, options.storage):
        leases = Leases(owner_of(folder), alone=not options.storage)
        queue = TrialQueue(sweep, open_storage(folder, options.storage), leases, folder)
        if tracker is not None:
            tags = {"sampler": sweep.sampler.class_name, "objectives": ", ".join(sweep.objectives)}
            tracker.open(folder, {"target": SWEEPS, "profile": sweep.name, **tags})
        try:
            work(queue, leases, options.workers, tracker)
            write_results(queue)
        except BaseException:  # Ctrl-C as well: no run may stay RUNNING
            if tracker is not None:
                tracker.close({}, [], status="KILLED")
            raise
        if tracker is not None:
            tracker.close({}, [folder / name for name in FILES])
    return folder


def checked_sweep(sweep: Sweep, options: SearchOptions) -> Sweep:
    """Return the sweep with the hash of its data, after the checks that `search` promises."""
    existing_storage(options.root / SWEEPS / sweep.name, options.storage)  # it must answer
    torch.set_num_threads(1)
    with naming_configs(sweep.configs, sweep.settings):
        record = dry_run(sweep.base)
    for objective in sweep.objectives:
        value_of(record, objective)
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


def owner_of(folder: Path) -> str:
    """Return this folder's name among all that share a study; it outlives the process."""
    path = folder / OWNER
    if not path.exists():
        write_whole(path, f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}\n")
    return path.read_text().strip()


def work(queue: TrialQueue, leases: Leases, workers: int, tracker: tracking.Tracker | None) -> None:
    """Run until trials, baselines and fresh seeds are all done."""
    sweep = queue.sweep
    fresh = (1 + len(sweep.baselines)) * sweep.fresh_seeds
    twins = len(sweep.baselines) * (1 + len(sweep.tuning_points))
    total = (sweep.trials + twins) * sweep.seeds + fresh
    records: list[RunRecord] = []
    with Pool(workers) as pool, Progress(total, workers) as bars:
        sources: list[Source] = [
            BaselineRuns(queue, leases, pool.stop),
            ActiveTrials(queue, leases, pool.stop),
        ]
        while pool.running or not all(source.done for source in sources):
            # Collect finished runs first, so that no worker idles until the next round.
            for job, record in pool.ended():
                records.append(record)
                any(source.ended(job, record) for source in sources)
            for source in sources:
                source.watch()
            fill(pool, [source.next for source in sources])
            bars(pool.jobs, records)
            if tracker is not None:
                tracker.poll()
            pool.wait()


def fill(pool: Pool, sources: Sequence[Callable[[], Job | None]]) -> None:
    """Start runs while a worker is free and a source has one."""
    for source in sources:
        while pool.free and (job := source()) is not None:
            pool.start(job)


__all__ = ["SearchOptions", "search"]
