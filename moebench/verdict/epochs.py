"""Tests of claims about training to a criterion: systems with seeds of their own, not paired.

They share these settings: `grid` (step sizes), `trials` (so many seeds of an arm, the last ones,
choose its own best step and are not judged) and `rules` (at which steps the systems are compared: a
size for all of them, or "best", each at its own). Runs that never reach the criterion are left out
of means of epochs, and counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from moebench.claims import Claim
from moebench.statistics import Interval, Values, mean_interval, mean_p, variance_ratio
from moebench.statistics.two_samples import (
    difference_of_means,
    equivalence_of_means,
    ratio_of_means,
)
from moebench.verdict.conditions import (
    LEVEL,
    Condition,
    State,
    above_zero,
    all_of,
    below_zero,
    one_sided,
)
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings
from moebench.verdict.trials import BEST, Rule, Trials


def fewer_epochs(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the first arm of each pair needs fewer epochs to the criterion than the second.

    A condition holds if the ratio of means is at most the setting `at_most`, its interval below
    one and p at most the setting `level`; it is refuted if the interval is above `at_most`.
    Arms: (first, second, first, second, ...), the leading pair first.
    """
    trials = Trials.of(evidence, claim.settings)
    conditions = []
    for first, second, rule in _compared(claim):
        a, b = (trials.sample(arm, rule, "epochs") for arm in (first, second))
        ratio = ratio_of_means(a, b, evidence.rng)
        p = difference_of_means(a, b)[1] if ratio.estimate < 1 else 1.0
        most, level = claim.settings.get("at_most", 1.0), claim.settings.get("level", LEVEL)
        holds = ratio.high < 1 and ratio.estimate <= most and p <= level
        refuted = ratio.low > most or ratio.low >= 1
        state = State.HOLDS if holds else State.REFUTED if refuted else State.OPEN
        often = f", at most {most:g} times as many" if most < 1 else ""
        says = f"{first} needs fewer epochs than {second}{often} ({_at(rule)})"
        conditions.append(Condition(says, state, ratio, "ratio of epochs", p))
    return Findings(conditions, _notes(claim, trials), _failures(claim, trials))


def steadier(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the epochs of the first arm of each pair vary less than those of the second (F test).

    Arms: (first, second, ...), the leading pair first. Settings: `level`.
    """
    trials = Trials.of(evidence, claim.settings)
    conditions = []
    for first, second, rule in _compared(claim):
        ratio, p = variance_ratio(*(trials.sample(one, rule, "epochs") for one in (first, second)))
        holds = p <= claim.settings.get("level", LEVEL)
        state = State.HOLDS if holds else State.REFUTED if ratio.low > 1 else State.OPEN
        says = f"epochs of {first} vary less than those of {second} ({_at(rule)})"
        conditions.append(Condition(says, state, ratio, "ratio of variances", p))
    return Findings(conditions, _notes(claim, trials), _failures(claim, trials))


def two_means(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: a quantity is lower (or higher) in the first arm of each pair, by the pooled t test.

    Runs that never got to the criterion count here. Arms: (first, second, ...). Settings:
    `quantity`; `by`, (first, second) -> by how much at least (default: nought).
    """
    trials, sign = Trials.of(evidence, claim.settings), 1 if claim.direction == "higher" else -1
    quantity, gaps = claim.settings["quantity"], claim.settings.get("by", {})
    conditions = []
    for first, second, rule in _compared(claim):
        by = gaps.get((first, second), 0.0)
        a, b = (trials.everything(arm, rule, quantity) for arm in (first, second))
        difference, p = difference_of_means(sign * a - by, sign * b)
        p = p if difference.estimate > 0 else 1.0
        much = f" by more than {by:g}" if by else ""
        says = f"{quantity} of {first} is {claim.direction}{much} than that of {second}"
        shown = _moved(difference, by, sign)
        state = one_sided(difference, p, claim.margin)
        conditions.append(Condition(f"{says} ({_at(rule)})", state, shown, claim.unit, p))
    return Findings(conditions, _notes(claim, trials))


def same_accuracy(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: arms of one group end equally accurate, within the margin, and inside a range.

    Conditions, a group and split of the data: all pairs are equivalent, by two one-sided pooled
    tests; every arm's mean is inside the setting `between`. Arms: group after group, each of as
    many as the setting `group` says.
    """
    trials, [rule] = Trials.of(evidence, claim.settings), claim.settings["rules"]
    size, conditions = claim.settings["group"], []
    for arms in zip(*[iter(claim.arms)] * size, strict=True):
        for split in ("test", "train"):
            values = {arm: trials.sample(arm, rule, f"accuracy/{split}") for arm in arms}
            pairs = [_same(claim, one, other, values) for one, other in combinations(values, 2)]
            inside = [_inside(claim, arm, values[arm], evidence) for arm in arms]
            group = f"{arms[0]} to {arms[-1]} are"
            conditions.append(all_of(f"{group} equally accurate on {split} data", pairs))
            conditions.append(all_of(f"{group} as accurate as stated on {split} data", inside))
    return Findings(conditions, _notes(claim, trials), _failures(claim, trials))


def _same(claim: Claim, first: str, second: str, values: dict[str, Values]) -> Condition:
    """Return the condition that two arms are equally accurate."""
    difference, _ = difference_of_means(values[first], values[second])
    p = equivalence_of_means(values[first], values[second], claim.margin)
    outside = difference.low > claim.margin or difference.high < -claim.margin
    state = State.HOLDS if p <= LEVEL else State.REFUTED if outside else State.OPEN
    return Condition(f"{first} and {second}", state, difference, claim.unit, p)


def _inside(claim: Claim, arm: str, values: Values, evidence: Evidence) -> Condition:
    """Return the condition that the mean of an arm is inside the range."""
    low, high = claim.settings["between"]
    interval = mean_interval(values, evidence.rng)
    outside = interval.high < low or interval.low > high
    inside = interval.low >= low and interval.high <= high
    state = State.HOLDS if inside else State.REFUTED if outside else State.OPEN
    p = max(mean_p(values, low, "greater"), mean_p(values, high, "less"))
    return Condition(f"{arm} in {low:g} to {high:g}", state, interval, "accuracy", p)


def within_runs(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: in each arm one quantity of a run is above another one of it, on average over runs.

    Arms: the leading one first. Settings: `above` and `below`, the two quantities; `first`, how
    many of the arms are judged: of the rest it is only said in how many the same is seen.
    """
    trials, [rule] = Trials.of(evidence, claim.settings), claim.settings["rules"]
    above, below = claim.settings["above"], claim.settings["below"]
    first = claim.settings.get("first", len(claim.arms))
    gaps = {
        arm: trials.sample(arm, rule, above) - trials.sample(arm, rule, below) for arm in claim.arms
    }
    conditions = []
    for arm in claim.arms[:first]:
        says = f"{above} is above {below} in {arm} ({_at(rule)})"
        found = above_zero(says, gaps[arm], evidence, claim.unit, claim.margin)
        conditions.append(replace(found, power=None))
    others = [bool(gaps[arm].mean() > 0) for arm in claim.arms[first:] if len(gaps[arm])]
    remark = f"so it is in {sum(others)} of {len(others)} other arms" if others else ""
    return Findings(conditions, remark=remark)


def share_of_runs(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: of the runs of each arm at least a share has a quantity inside a range; no test.

    Settings: `quantity`, `between` (both ends included), `share`; without `rules`, the quantity is
    a metric of runs that have no step sizes.
    """
    (low, high), share = claim.settings["between"], claim.settings["share"]
    quantity, conditions = claim.settings["quantity"], []
    for arm in claim.arms:
        for place, values in _samples(claim, evidence, arm, quantity):
            found = float(np.mean((values >= low) & (values <= high))) if len(values) else 0.0
            state = State.HOLDS if found >= share else State.REFUTED
            state = state if len(values) > 1 else State.OPEN
            says = f"{quantity} is {low:g} to {high:g} in at least {share:.0%} of runs of {arm}"
            interval = Interval(found, found, found, len(values), "share of runs")
            conditions.append(Condition(f"{says}{place}", state, interval, "share of runs"))
    return Findings(conditions)


def on_its_side(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the mean of a quantity is below, or above, a limit for each arm.

    Settings: `quantity`, `below` and `above`, each arm -> limit; without `rules`, the quantity is a
    metric of runs that have no step sizes.
    """
    conditions = []
    for side, test in (("below", below_zero), ("above", above_zero)):
        for arm, limit in claim.settings.get(side, {}).items():
            for place, values in _samples(claim, evidence, arm, claim.settings["quantity"]):
                says = f"{claim.settings['quantity']} of {arm} is {side} {limit:g}{place}"
                found = test(says, values - limit, evidence, claim.unit)
                shown = _moved(found.effect, limit)
                conditions.append(replace(found, effect=shown, power=None))
    return Findings(conditions)


def _moved(interval: Interval, by: float, sign: int = 1) -> Interval:
    """Return an interval moved by a number, and then turned round where the sign says so."""
    return interval.mapped(lambda value: sign * (value + by))


def _samples(
    claim: Claim, evidence: Evidence, arm: str, quantity: str
) -> Iterator[tuple[str, Values]]:
    """Yield the values of a quantity, all judged runs of them, with the place they are from."""
    if "rules" not in claim.settings:
        yield "", evidence.sample(quantity, arm)
        return
    trials = Trials.of(evidence, claim.settings)
    for rule in claim.settings["rules"]:
        yield f" ({_at(rule)})", trials.everything(arm, rule, quantity)


def _compared(claim: Claim) -> Iterator[tuple[str, str, Rule]]:
    """Yield the pairs of arms with each rule, the leading pair first."""
    for first, second in zip(claim.arms[::2], claim.arms[1::2], strict=True):
        for rule in claim.settings["rules"]:
            yield first, second, rule


def _at(rule: Rule) -> str:
    return "each at its own best step" if rule == BEST else f"step {rule:g}"


def _notes(claim: Claim, trials: Trials) -> dict[str, dict[str, float]]:
    rules: Sequence[Rule] = claim.settings["rules"]
    return {arm: trials.notes(arm, rules) for arm in claim.arms}


def _failures(claim: Claim, trials: Trials) -> str:
    """Return a clause on every arm of which some run never got there."""
    clauses = {
        f"{clause} ({_at(rule)})"
        for arm in claim.arms
        for rule in claim.settings["rules"]
        if (clause := trials.failures(arm, rule))
    }
    return "; ".join(sorted(clauses))
