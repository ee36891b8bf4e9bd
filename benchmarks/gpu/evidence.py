"""The runs that judge claims, made as by a reproduction, with records that `publish` accepts.

The folder is laid out like `runs/`, so `moebench publish` and `moebench verdict` find them with
`--root`. The most valuable runs come first, alternating between papers.
"""

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.gpu.items import FAILED, MEASURED, Item, Outcome, told
from benchmarks.gpu.memory import release
from benchmarks.gpu.papers import on_device, papers, profile_of, with_a_twin
from benchmarks.gpu.scheduler import Scheduler
from benchmarks.gpu.session import Session
from benchmarks.gpu.value import in_order
from moebench import __version__
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, write_all
from moebench.experiment import Experiment
from moebench.experiment.dense_twin import dense
from moebench.papers import Target
from moebench.papers.plan import Arm
from moebench.papers.registry import claims_on
from moebench.run.job import Job
from moebench.run.place import found as found_of
from moebench.run.plan_jobs import computed_jobs, load_arm, resolve

RESULTS = "results.jsonl"
UNSAVED = 60.0  # seconds of training that a kill may lose
TO_END = 3.0  # seconds that runs get to shut down


def run(session: Session) -> None:
    """Make the runs of all papers, alternating between papers."""
    every = {one.folder: Runs(one, session) for one in _of(session.small)}
    scheduler = Scheduler(session.clock.shorter(TO_END), session.device)
    names: list[str] = []

    def ended(job: Job, record: RunRecord) -> None:
        every[job.target].add(job.records() or [record])
        names.append(f"{job.target}/{job.arm}/{job.seed}")
        print(f"evidence: {names[-1]}: {record.status}, {record.seconds:.0f} s", flush=True)

    started = time.monotonic()
    scheduler.make(_in_turn([one.jobs() for one in every.values()]), ended)
    found = {
        "ended": names,
        "side by side": scheduler.most_parallel,
        "steps per second": scheduler.pace.rate,
        "card": scheduler.usage.mean(),
    }
    name = f"call {1 + session.folder.count('evidence', 'runs')}"
    item = Item("evidence", name, "runs", 0.0, lambda: found)
    session.folder.add(item, Outcome(MEASURED, time.monotonic() - started, "", found))


def _of(small: bool) -> Sequence[Target]:
    """Return the papers whose runs are made: all, or one in the small test."""
    return with_a_twin(small) if small else papers()


def _in_turn(every: list[Iterator[Job]]) -> Iterator[Job]:
    """Yield the first item of each, then the second, until all are exhausted."""
    while every:
        for one in list(every):
            job = next(one, None)
            if job is None:
                every.remove(one)
            else:
                yield job


def take(folder: Path, other: Path, small: bool) -> None:
    """Copy records and unfinished runs from another folder, keeping what exists already."""
    for paper in _of(small):
        place = Path(paper.folder) / profile_of(paper, small).name
        ours, theirs = folder / place, other / place
        for run_folder in theirs.glob("*/seed_*"):
            target = ours / run_folder.relative_to(theirs)
            if not target.exists():
                shutil.copytree(run_folder, target)
        known = {(record.arm, record.seed): record for record in _records(theirs)}
        known |= {(record.arm, record.seed): record for record in _records(ours)}
        if known:
            ours.mkdir(parents=True, exist_ok=True)
            write_all(known.values(), ours / RESULTS)


def _records(folder: Path) -> list[RunRecord]:
    """Return the records in a folder of runs; none if it has no runs yet."""
    return read(folder / RESULTS) if (folder / RESULTS).exists() else []


class Runs:
    """The runs of one paper.

    Args:
        paper: the paper, whose profile they belong to.
        session: the session, whose folder they are in.
    """

    def __init__(self, paper: Target, session: Session) -> None:
        self.paper = paper
        self._session = session
        self._refused: set[str] = set()
        self.profile = profile_of(paper, session.small)
        self.settings = on_device(session.small)
        self.folder = session.folder.path / paper.folder / self.profile.name
        self._records = {(one.arm, one.seed): one for one in _records(self.folder)}
        self._asked: dict[str, Experiment] = {}  # mixtures as the plan defines them
        self._experiments: dict[str, Experiment] = {}
        self._planned: dict[str, dict[str, float]] = {}

    def add(self, records: Iterable[RunRecord]) -> None:
        """Store a finished run; a run that trains several seeds has one record for each."""
        self._records |= {(one.arm, one.seed): one for one in records}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_all(self._records.values(), self.folder / RESULTS)

    def jobs(self) -> Iterator[Job]:
        """Yield the runs still to be made; store those that ended without being collected."""
        for job in self._asked_for():
            if found_of(job) is None:
                yield job
            else:
                self.add(job.records())

    def _asked_for(self) -> Iterator[Job]:
        """Yield the runs without a record: functions first, then training runs by value."""
        for job in computed_jobs(self.paper, self.profile, self.folder):
            if not self._done(job.arm, job.seed):
                yield job
        done = [run for run in self._records if self._done(*run)]
        for arm, seed in in_order(self.profile, self.paper.claims, done):
            if arm in self._refused:
                continue
            try:
                experiment = self._resolved(arm).with_seed(seed)
            except Exception as error:  # a kernel or the data may be missing
                self._refuse(arm, error)
                continue
            yield Job(
                target=self.paper.folder,
                profile=self.profile.name,
                arm=arm,
                seed=seed,
                experiment=experiment,
                folder=self.folder / arm / f"seed_{seed}",
                planned=self._planned.get(arm, {}),
                claims=claims_on(self.paper, arm),
                seconds_unsaved=UNSAVED,
            )

    def _refuse(self, arm: str, error: Exception) -> None:
        """Record why none of the runs of an arm can be made."""
        self._refused.add(arm)
        item = Item("evidence", f"{self.paper.folder}/{arm}", "arm", 0.0, dict)
        self._session.folder.add(item, Outcome(FAILED, 0.0, told(error)))
        print(f"evidence: {item.name}: {told(error)}", flush=True)

    def _done(self, arm: str, seed: int) -> bool:
        """Say whether this very run has a result."""
        record = self._records.get((arm, seed))
        if record is None or record.status == "failed":
            return False
        if arm in self.paper.plan.computed:
            return record.versions.get("moebench") == __version__
        asked = self._as_recorded(self.paper.plan.arm(arm), record)
        same = (asked.hash, asked.code, __version__)
        return same == (record.config_hash, record.code, record.versions.get("moebench"))

    def _as_recorded(self, arm: Arm, record: RunRecord) -> Experiment:
        """Return the plan's experiment; for a dense twin, with the width solved for earlier."""
        name = arm.twin_of or arm.name
        if name not in self._asked:
            base = self.paper.plan.arm(name)
            self._asked[name] = load_arm(self.paper, base, self.profile, self.settings)
        if not arm.twin_of:
            return self._asked[name]
        shape = record.config["model"]["network"]["init_args"]["shape"]
        return dense(self._asked[name], shape["hidden"])

    def _resolved(self, name: str) -> Experiment:
        """Return the experiment of an arm; a mixture and its twins are resolved together."""
        if name not in self._experiments:
            arm = self.paper.plan.arm(name)
            pair = {arm.twin_of or name, name}
            pair |= {one.name for one in self.paper.plan.arms if one.twin_of in pair}
            wanted = [one for one in self.profile.arms if one in pair]
            some = replace(self.profile, arms=wanted)
            experiments, planned = resolve(self.paper, some, self.settings)
            self._experiments |= experiments
            self._planned |= planned
            release()
        return self._experiments[name]
