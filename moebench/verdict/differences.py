"""Tests of claims that compare means of two or more arms, seed by seed."""

from dataclasses import replace
from itertools import pairwise

from moebench.claims import Claim
from moebench.statistics import variance_ratio
from moebench.verdict.conditions import (
    LEVEL,
    Condition,
    State,
    all_of,
    below_zero,
    compare,
    equivalent,
    stays_below,
)
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def difference(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the first arm has a lower (or higher) metric than the second.

    Arms: (first, second).
    """
    first, second = claim.arms
    return Findings([compare(claim, evidence, (first, second), claim.direction)])


def no_worse(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the metric of the first arm is above that of the second by less than the margin.

    Arms: (first, second); lower is better.
    """
    first, second = claim.arms
    a, b = evidence.paired(claim.metric, first, second)
    says = f"{first} is worse than {second} by less than {claim.margin:g} {claim.unit}"
    return Findings([stays_below(says, a - b, claim.margin, evidence, claim.unit)])


def order(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: each arm has a lower (or higher) metric than the next.

    Arms: in the claimed order; the first two matter most.
    """
    pairs = list(pairwise(claim.arms))
    return Findings([compare(claim, evidence, pair, claim.direction) for pair in pairs])


def worst_of(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the first arm is worst of all, and two of the others are equivalent.

    Arms: (worst, other, other, ...); `direction` is that of the worst. Settings: `equal`, the two
    arms that are within the margin of each other.
    """
    worst, *others = claim.arms
    rivals = [compare(claim, evidence, (worst, other), claim.direction) for other in others]
    says = f"{worst} is worst of {len(claim.arms)}"
    return Findings([all_of(says, rivals), _equal(claim, evidence, *claim.settings["equal"])])


def equivalence(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the metrics of two arms differ by less than the margin.

    Arms: (first, second). Settings: `relative`, whether differences are shares of the second.
    """
    return Findings([_equal(claim, evidence, *claim.arms)])


def _equal(claim: Claim, evidence: Evidence, first: str, second: str) -> Condition:
    """Return the condition that two arms differ by less than the margin."""
    a, b = evidence.paired(claim.metric, first, second)
    differences = (a - b) / b if claim.settings.get("relative") else a - b
    says = f"{first} and {second} differ by less than {claim.margin} {claim.unit} in {claim.metric}"
    return equivalent(says, differences, evidence, claim.unit, claim.margin)


def interaction(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the first arm beats the second, and the third loses to the fourth.

    Conditions: the difference of the differences, then the two simple ones.
    Arms: (first, second, third, fourth); lower is better.
    """
    first, second, third, fourth = claim.arms
    a, b, c, d = evidence.paired(claim.metric, *claim.arms)
    says = f"{first} does more for the loss against {second} than {third} against {fourth}"
    contrast = below_zero(says, (a - b) - (c - d), evidence, claim.unit, claim.margin)
    simple = [
        compare(claim, evidence, (first, second), "lower"),
        compare(claim, evidence, (fourth, third), "lower"),
    ]
    return Findings([contrast, *simple])


def spread(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the first arm has a better mean than the second, and varies less between seeds.

    The F test of the variances takes the arms for independent; seeds that both share make it
    conservative. Arms: (first, second).
    """
    first, second = claim.arms
    mean = compare(claim, evidence, (first, second), claim.direction)
    samples = evidence.sample(claim.metric, first), evidence.sample(claim.metric, second)
    ratio, p = variance_ratio(*samples)
    state = State.HOLDS if p <= LEVEL else State.REFUTED if ratio.low > 1 else State.OPEN
    says = f"{first} varies less between seeds than {second}"
    varies = Condition(says, state, ratio, "ratio of variances", p)
    return Findings([replace(mean, says=f"{mean.says}, on average"), varies])
