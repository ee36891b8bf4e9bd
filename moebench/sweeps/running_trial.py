"""A running trial: its runs one after another, pruning, and the result."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real

import optuna
from optuna.trial import TrialState

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_history
from moebench.papers.nearest import nearest
from moebench.run.job import Job
from moebench.sweeps.definition import LOSS
from moebench.sweeps.leases import Attributes

STATUS, RECORD, HASH, WHY = "status", "record", "config_hash", "why"
ATTEMPTS, CACHED = "attempts", "cached_from"


@dataclass
class RunningTrial:
    """One trial of this process.

    Args:
        trial: the trial in the study.
        attributes: its attributes.
        jobs: its runs, one per seed.
        pruning: what may end it early: "steps", the losses of the first seed as it trains;
            "seeds", the final loss of every seed; "", nothing.
    """

    trial: optuna.Trial
    attributes: Attributes
    jobs: Sequence[Job]
    pruning: str = ""
    records: list[RunRecord] = field(default_factory=list)
    status: str = ""  # once it is over: one of record.STATUSES

    def __post_init__(self) -> None:
        for job in self.jobs:  # some may be done already, by this machine or another
            record = job.result() or known_result(job, f"{RECORD}/{job.seed}", self.attributes)
            if record is None or self.status:
                break
            self._accept(record)

    @property
    def job(self) -> Job:
        """The next run."""
        return self.jobs[len(self.records)]

    def ended(self, record: RunRecord) -> None:
        """Accept the record of the run that has just ended; repeat a failed run once."""
        attempts = int(self.attributes.read().get(ATTEMPTS) or 0) + 1
        if record.status == "failed" and attempts < 2:
            self.attributes.write(ATTEMPTS, attempts)
            return
        self._accept(record)

    def _accept(self, record: RunRecord) -> None:
        """Store a result and check whether the trial is over."""
        self.note(record)
        if record.status != "finished":
            self.status = record.status
        elif len(self.records) == len(self.jobs):
            self.status = "finished"
        elif self.pruning == "seeds" and self._report(len(self.records) - 1, record.metrics[LOSS]):
            self.status = "pruned"

    def note(self, record: RunRecord) -> None:
        """Store a record, also where every machine finds it."""
        self.records.append(record)
        name, text = f"{RECORD}/{record.seed}", record.to_json()
        if self.attributes.read().get(name) != text:
            self.attributes.write(name, text)

    def watch(self) -> None:
        """Report new validations, and end the run if the pruner says so."""
        if self.pruning != "steps" or self.records or self.status:
            return
        job = self.jobs[0]
        for line in read_history(job.history_path):
            if LOSS in line and self._report(line["step"], line[LOSS]):
                job.prune_path.touch()

    def _report(self, step: int, value: float) -> bool:
        """Report a value unless already reported; return whether to prune the trial."""
        known = self.trial.storage.get_trial(self.trial._trial_id).intermediate_values
        if step in known:
            return False
        self.trial.report(value, step)
        return bool(self.trial.should_prune())

    def finish(self, study: optuna.Study, objectives: Sequence[str]) -> None:
        """Report the result to the study, after the records."""
        values: list[float] | None = None
        if self.status == "finished":
            try:
                values = mean_values(self.records, objectives)
            except ValueError as error:
                self.status = "failed"
                self.attributes.write(WHY, str(error))
        self.attributes.write(STATUS, self.status)
        states = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED}
        study.tell(self.trial.number, values, states.get(self.status, TrialState.FAIL))


def known_result(job: Job, name: str, attributes: Attributes) -> RunRecord | None:
    """Return the record of a run that another machine has made; None if there is none.

    Args:
        job: the run.
        name: the attribute that would hold it.
        attributes: the attributes.
    """
    text = attributes.read().get(name)
    if text is None:
        return None
    record = RunRecord.from_json(text)
    return record if record.status != "failed" and not job.differs(record) else None


def mean_values(records: Sequence[RunRecord], objectives: Sequence[str]) -> list[float]:
    """Return the mean of every objective over the records.

    Raises:
        ValueError: if a record lacks an objective; names it.
    """
    return [
        math.fsum(value_of(record, objective) for record in records) / len(records)
        for objective in objectives
    ]


def value_of(record: RunRecord, objective: str) -> float:
    """Return a metric of a record, or a numeric field such as `seconds_per_step`.

    Raises:
        ValueError: if it has neither; lists what it has.
    """
    if objective in record.metrics:
        return record.metrics[objective]
    value = getattr(record, objective, None)
    if isinstance(value, Real) and not isinstance(value, bool) and objective != "seed":
        return float(value)
    raise ValueError(
        f"objectives.{objective}: no run logs it; {nearest(objective, known_objectives(record))}"
    )


def known_objectives(record: RunRecord) -> list[str]:
    """Return the names of all values that a record like this one offers as objectives."""
    metrics: Mapping[str, float] = record.metrics
    costs = ("seconds_per_step", "peak_memory_bytes", "flops_per_token", "params_total")
    return [*(name for name in metrics if "@" not in name), *costs]
