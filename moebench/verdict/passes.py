"""Tests of claims about passes through the training set, and how close they lead.

The systems compared have seeds of their own: nothing is paired. A run says how many epochs it
needed (the metric of the claim), how large an error it ended with (the setting `error`) and whether
it failed (the setting `failed`: 0 or 1). Failed runs are left out of all means, as in Jordan and
Jacobs 1994, and counted. Ratios are those of geometric means, by Student's t test with pooled
variance on the logarithms. The last arms, as many as the setting `shown` says, are not judged but
printed with the others; so are the means of the metrics in the setting `noted`.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from moebench.claims import Claim
from moebench.statistics import Values
from moebench.statistics.two_samples import difference_of_means
from moebench.verdict.conditions import Condition, State
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def sooner_and_as_good(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: each arm needs several times fewer epochs than the base, some with as small an error.

    Conditions: for each arm, base / arm in epochs is above the setting `at_least`, refuted only by
    an interval below `refuted_below`; for each arm in the setting `as_good`, arm / base in error is
    below `worse_by`.

    Arms: (base, arm, ..., arm, shown, ...), the leading one first.
    """
    base, *arms = _judged(claim)
    at_least, refuted_below = claim.settings["at_least"], claim.settings["refuted_below"]
    conditions = []
    for arm in arms:
        epochs = _samples(claim, evidence, claim.metric, base, arm)
        says = f"{arm} needs at least {at_least:g} times fewer epochs than {base}"
        conditions.append(_above(says, epochs, claim.unit, at_least, refuted_below))
    worse_by = claim.settings["worse_by"]
    for arm in claim.settings["as_good"]:
        errors = _samples(claim, evidence, claim.settings["error"], arm, base)
        says = f"the error of {arm} is at most {worse_by:g} times that of {base}"
        conditions.append(_below(says, errors, "ratio of errors", worse_by))
    return Findings(conditions, _notes(claim, evidence), _failures(claim, evidence))


def order_and_closest(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: every arm needs fewer epochs than the next, and one has the smallest error.

    Conditions: the ratio of epochs of each two neighbours is below one; so is the ratio of the
    error of the arm in the setting `closest` to that of each other arm.

    Arms: (fewest epochs, ..., most epochs, shown, ...).
    """
    arms, closest = _judged(claim), claim.settings["closest"]
    conditions = []
    for first, second in pairwise(arms):
        epochs = _samples(claim, evidence, claim.metric, first, second)
        conditions.append(_below(f"{first} needs fewer epochs than {second}", epochs, claim.unit))
    for other in (arm for arm in arms if arm != closest):
        errors = _samples(claim, evidence, claim.settings["error"], closest, other)
        says = f"the error of {closest} is smaller than that of {other}"
        conditions.append(_below(says, errors, "ratio of errors"))
    return Findings(conditions, _notes(claim, evidence), _failures(claim, evidence))


def _judged(claim: Claim) -> Sequence[str]:
    """Return the arms that are judged."""
    return claim.arms[: len(claim.arms) - claim.settings.get("shown", 0)]


def _samples(claim: Claim, evidence: Evidence, metric: str, *arms: str) -> list[Values]:
    """Return a metric of each arm, over the runs that did not fail."""
    samples = []
    for arm in arms:
        failed, values = _failed(claim, evidence, arm), evidence.values(metric, arm)
        samples.append(np.array([value for seed, value in values.items() if seed not in failed]))
    return samples


def _failed(claim: Claim, evidence: Evidence, arm: str) -> set[int]:
    """Return the seeds whose run failed, those without a result included."""
    said = evidence.values(claim.settings["failed"], arm)
    return {seed for seed in evidence.runs[arm] if said.get(seed, 1.0)}


def _above(
    says: str,
    samples: Sequence[Values],
    unit: str,
    limit: float,
    refuted_below: float | None = None,
) -> Condition:
    """Claim that the first of two samples is above limit x second; what refutes may lie lower."""
    first, second = samples
    over, p = difference_of_means(np.log(first) - np.log(limit), np.log(second))
    p = p if over.estimate > 0 else 1.0
    ratio = over.mapped(lambda logarithm: float(limit * np.exp(logarithm)))
    refuted = ratio.high <= (limit if refuted_below is None else refuted_below)
    state = State.HOLDS if ratio.low > limit else State.REFUTED if refuted else State.OPEN
    return Condition(says, state, ratio, unit, p)


def _below(says: str, samples: Sequence[Values], unit: str, limit: float = 1.0) -> Condition:
    """Claim that the first of two samples is below limit x second."""
    found = _above(says, samples[::-1], unit, 1 / limit)
    ratio = found.effect.mapped(lambda inverse: 1 / inverse if inverse else np.inf)
    return Condition(says, found.state, ratio, unit, found.p)


def _notes(claim: Claim, evidence: Evidence) -> dict[str, dict[str, float]]:
    """Return, for each arm, how many runs failed and the means over those that did not."""
    notes = {}
    for arm in claim.arms:
        notes[arm] = {"failed_runs": float(len(_failed(claim, evidence, arm)))}
        for metric in (claim.metric, claim.settings["error"], *claim.settings.get("noted", ())):
            [values] = _samples(claim, evidence, metric, arm)
            if len(values):
                notes[arm][metric] = float(values.mean())
    return notes


def _failures(claim: Claim, evidence: Evidence) -> str:
    """Return a clause with the failure rate of each arm."""
    rates = [
        f"{len(_failed(claim, evidence, arm))} of {len(evidence.runs[arm])} runs of {arm}"
        for arm in claim.arms
    ]
    return f"failed and left out: {', '.join(rates)}"
