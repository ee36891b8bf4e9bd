"""The base class of tests on runs with a grid of step sizes, and how choices are judged.

A claim is judged under every choice that the paper leaves open, such as the coding of the targets
or the step size. Under each choice all its pairs of systems, or all its arms, must be as claimed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from moebench.papers.claim import ClaimTest
from moebench.verdict.conditions import Condition, all_of, both_or_all
from moebench.verdict.findings import under_choices
from moebench.verdict.paired_runs import Evidence
from reproductions.jacobs_1991.arms import GRID, TRIALS
from reproductions.jacobs_1991.trials import BEST, Rule, Trials, named


@dataclass(frozen=True, kw_only=True)
class AtSteps(ClaimTest):
    """The base class of tests on runs with a grid of step sizes.

    Args:
        rules: the steps at which systems are compared, each a choice that the paper leaves open:
            one size for all systems, or "best", each system at its own best.
        grid: the step sizes of a run.
        trials: the number of seeds, the last of each arm, that choose its best step and are not
            judged.
    """

    rules: tuple[Rule, ...] = (BEST,)
    grid: tuple[float, ...] = GRID
    trials: int = TRIALS

    def __post_init__(self) -> None:
        if unknown := [rule for rule in self.rules if rule not in (*self.grid, BEST)]:
            raise ValueError(f"rules={self.rules}: {unknown[0]} is neither {BEST} nor in the grid")
        super().__post_init__()

    def of(self, evidence: Evidence) -> Trials:
        """Return the runs together with the test's grid and number of trials."""
        return Trials(evidence, self.grid, self.trials)

    def notes(self, trials: Trials) -> dict[str, dict[str, float]]:
        """Return the figures to print beside each arm."""
        return {arm: trials.notes(arm, self.rules) for arm in self.arms}

    def lost(self, trials: Trials) -> str:
        """Return a clause for each arm with runs that never met the criterion."""
        clauses = {
            f"{clause} ({named(rule)})"
            for arm in self.arms
            for rule in self.rules
            if (clause := trials.failures(arm, rule))
        }
        return "; ".join(sorted(clauses))


def check(under: Mapping[str, Sequence[object]], what: str, least: int = 1) -> None:
    """Refuse a claim without choices, or with a choice that has too few entries.

    Raises:
        ValueError: if there is no choice, or one with fewer than `least` entries.
    """
    if not under or any(len(claimed) < least for claimed in under.values()):
        raise ValueError(f"under={under}: needs a choice, and each choice needs {what}")


def combined(what: str, conditions: Sequence[Condition]) -> Condition:
    """Combine all conditions of one choice into one."""
    if not conditions[1:]:
        return conditions[0]
    return all_of(both_or_all(len(conditions), what), conditions)


def as_whole(says: str, choices: Mapping[str, Condition]) -> tuple[Condition, Sequence[Condition]]:
    """Return the lead of a claim, and its state under each choice if there are several."""
    found = [replace(one, choice=name) for name, one in choices.items()]
    if len(found) > 1:
        return under_choices(says, found)
    [one] = found
    return replace(one, says=": ".join(filter(None, (says, one.choice, one.says)))), ()


def chosen(name: str, rule: Rule | None) -> str:
    """Return the name of a choice, including its step."""
    return ", ".join(filter(None, (name, "" if rule is None else named(rule))))


def system(arm: str) -> str:
    """Return the system of an arm, the first part of its name."""
    return arm.partition(".")[0]
