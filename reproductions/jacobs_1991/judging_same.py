"""Test for the claim that several systems end equally accurate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

from moebench.statistics import Values
from moebench.statistics.estimates import difference
from moebench.verdict.claimed import within
from moebench.verdict.conditions import Condition, all_of, judged, mean_is
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence
from reproductions.jacobs_1991.at_steps import AtSteps, as_whole, check, chosen, combined
from reproductions.jacobs_1991.trials import Rule, Trials, apart

SPLITS = ("test", "train")


@dataclass(frozen=True, kw_only=True)
class SameAccuracy(AtSteps):
    """Several systems end equally accurate, within the margin, on test and on training data.

    Equality leads; that each system is as accurate as stated is a side condition. Runs that never
    met the criterion count here.

    Args:
        under: choice -> the systems, which are compared in pairs.
        low: the lowest accuracy stated for any system.
        high: the highest accuracy stated.
    """

    under: Mapping[str, tuple[str, ...]]
    low: float
    high: float
    unit: str = "accuracy"

    def __post_init__(self) -> None:
        check(self.under, "two arms", 2)
        if not self.low < self.high:
            raise ValueError(f"low={self.low}, high={self.high}: not a range")
        super().__post_init__()

    @property
    def arms(self) -> tuple[str, ...]:
        """All arms, each once."""
        return tuple(dict.fromkeys(chain(*self.under.values())))

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """All pairs of arms within a choice."""
        return [(a, b) for arms in self.under.values() for a, b in combinations(arms, 2) if a != b]

    def judge(self, evidence: Evidence) -> Findings:
        """Judge under every choice whether all are equal, then whether each is as stated."""
        trials = self.of(evidence)
        says = f"any two differ by less than {self.margin:g} on test and on training data"
        choices = {
            chosen(name, rule): combined("pairs", self._equal(trials, arms, rule))
            for name, arms in self.under.items()
            for rule in self.rules
        }
        sides = [
            all_of(
                f"each system's mean is {self.low:g} to {self.high:g}, {chosen(name, rule)}",
                self._as_stated(trials, arms, rule),
            )
            for name, arms in self.under.items()
            for rule in self.rules
        ]
        lead, found = as_whole(says, choices)
        return Findings(lead, sides, found, self.notes(trials), self.lost(trials))

    def _equal(self, trials: Trials, arms: Sequence[str], rule: Rule) -> list[Condition]:
        """Judge every pair of systems on each split."""
        return [
            judged(
                f"{one} and {other} on {split} data",
                difference(*self._values(trials, one, other, rule, split)),
                within(-self.margin, self.margin),
                self.unit,
            )
            for one, other in combinations(arms, 2)
            for split in SPLITS
        ]

    def _values(
        self, trials: Trials, one: str, other: str, rule: Rule, split: str
    ) -> tuple[Values, Values]:
        """Return the accuracies of two systems, or of two halves if they are the same."""
        first, second = (trials.everything(arm, rule, f"accuracy/{split}") for arm in (one, other))
        return apart(first, second, one == other)

    def _as_stated(self, trials: Trials, arms: Sequence[str], rule: Rule) -> list[Condition]:
        """Judge each system on each split."""
        return [
            mean_is(
                f"{arm} on {split} data",
                trials.everything(arm, rule, f"accuracy/{split}"),
                within(self.low, self.high),
                self.unit,
            )
            for arm in dict.fromkeys(arms)
            for split in SPLITS
        ]
