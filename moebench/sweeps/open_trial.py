"""One trial under way: its runs, one per seed, and what has come of them so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import optuna

from moebench.comparison.measures import mean_values
from moebench.evidence.history_tail import Tail
from moebench.evidence.record import RunRecord
from moebench.run.job import Job
from moebench.sweeps.definition import LOSS
from moebench.sweeps.study import RECORD, WHY, known_result


@dataclass
class OpenTrial:
    """A trial that has not been told.

    Its seeds run side by side. Their records count in the order of the seeds, up to the first that
    did not finish, so that a result does not depend on which run ended first. Where a pruner
    decides, each seed waits for the one before.

    Args:
        trial: the trial in the study.
        jobs: its runs, one per seed.
        pruning: what may end it early: "steps", the losses of the first seed as it trains;
            "seeds", the final loss of every seed; "", nothing.
        awaited: number of the trial whose result answers this one, until that has it.
    """

    trial: optuna.Trial
    jobs: Sequence[Job]
    pruning: str = ""
    awaited: int | None = None
    records: list[RunRecord] = field(default_factory=list)
    status: str = ""  # once it is over: one of record.STATUSES
    begun: int = 0  # runs, of the first seeds
    ahead: dict[int, RunRecord] = field(default_factory=dict)  # seed -> of one that ended early

    def take_known(self) -> None:
        """Take the results that are there already."""
        for job in self.jobs:
            name = f"{RECORD}/{job.seed}"
            if (record := known_result(job, self.trial.user_attrs.get(name))) is not None:
                self.take(record)

    def next(self) -> Job | None:
        """Return the next run to start; None if there is none now."""
        while self.begun < len(self.jobs):
            job = self.jobs[self.begun]
            there = self.begun < len(self.records) or job.seed in self.ahead
            if not there and self.pruning and self.begun > len(self.records):
                return None
            self.begun += 1
            if not there:
                return job
        return None

    def take(self, record: RunRecord) -> None:
        """Take the record of one of its runs, and check whether the trial is over."""
        self.ahead[record.seed] = record
        while not self.status and (found := self.ahead.pop(self._due, None)) is not None:
            self.note(found)
            if found.status != "finished":
                self.status = found.status
            elif len(self.records) == len(self.jobs):
                self.status = "finished"
            elif self.pruning == "seeds" and self._report(
                len(self.records) - 1, found.metrics[LOSS]
            ):
                self.status = "pruned"

    @property
    def _due(self) -> int:
        """The seed whose record counts next."""
        return self.jobs[len(self.records)].seed

    def note(self, record: RunRecord) -> None:
        """Keep a record, in the study as well."""
        self.records.append(record)
        name, text = f"{RECORD}/{record.seed}", record.to_json()
        if self.trial.user_attrs.get(name) != text:
            self.trial.set_user_attr(name, text)

    def hopeless(self) -> bool:
        """Report new validations of the first seed; say whether the pruner wants it to end."""
        if self.pruning != "steps" or self.records or self.status:
            return False
        lines = [line for line in self._history.new_lines() if LOSS in line]
        return sum(self._report(line["step"], line[LOSS]) for line in lines) > 0

    @cached_property
    def _history(self) -> Tail:
        return Tail(self.jobs[0].history_path)

    def _report(self, step: int, value: float) -> bool:
        """Report a value unless already reported; return whether to prune the trial."""
        known = self.trial.storage.get_trial(self.trial._trial_id).intermediate_values
        if step in known:
            return False
        self.trial.report(value, step)
        return bool(self.trial.should_prune())

    def values(
        self, objectives: Sequence[str], constraints: Mapping[str, float]
    ) -> Sequence[float] | None:
        """Return what a trial that is over came to; None if it did not finish.

        Args:
            objectives: what the values are.
            constraints: the largest value allowed of each; Optuna is told by how much it is passed.
        """
        if self.status != "finished":
            return None
        try:
            values = mean_values(self.records, objectives)
            passed = mean_values(self.records, list(constraints))
        except ValueError as error:
            self.status = "failed"
            self.trial.set_user_attr(WHY, str(error))
            return None
        for (name, most), value in zip(constraints.items(), passed, strict=True):
            self.trial.set_constraint(name, value - most)
        return values
