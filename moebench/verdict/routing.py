"""Tests of claims about how a model routes: neighbours, topic and token.

The metric of a claim is a name of `moebench.analysis.metrics`, without `analysis/<layer>/`; a run
has one value a layer. Shares become percentage points where the unit says so.
"""

import numpy as np

from moebench.claims import Claim
from moebench.statistics import Values
from moebench.verdict.conditions import (
    above_zero,
    all_of,
    best_of,
    equivalent,
    stays_above,
    stays_below,
)
from moebench.verdict.evidence import Evidence, paired
from moebench.verdict.findings import Findings


def neighbours_together(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: neighbours go together more than chance in a layer after the first, not in the first.

    Conditions, in the later layer where the mean over seeds is largest: the excess is above zero;
    it is above the margin. Its p counts every layer that might have been chosen. Then: in the first
    layer the excess is within the setting `first_within`.

    Arms: (one,). The metric is an excess over chance.
    """
    excess = [values for (values,) in layers(claim, evidence, claim.metric)]
    most, later = strongest(excess), len(excess) - 1
    says = f"in layer {most} neighbours go together more often than chance"
    more = above_zero(says, excess[most], evidence, claim.unit, claim.margin)
    says = f"in layer {most} they do so by {claim.margin:g} {claim.unit} or more"
    much = stays_above(says, excess[most], claim.margin, evidence, claim.unit)
    within = claim.settings["first_within"]
    says = f"in the first layer they do not, within {within:g} {claim.unit}"
    not_first = equivalent(says, excess[0], evidence, claim.unit, within)
    picked = [best_of(condition, later) for condition in (more, much)]
    return Findings([*picked, not_first], noted(claim, evidence))


def neighbours_apart(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: in no layer do neighbours go together more or less often than chance.

    One condition: the excess is within the margin in every layer. Arms: (one,).
    """
    conditions = [
        equivalent(f"layer {number} is at chance", values, evidence, claim.unit, claim.margin)
        for number, (values,) in enumerate(layers(claim, evidence, claim.metric))
    ]
    says = f"every layer is within {claim.margin:g} {claim.unit} of chance"
    return Findings([all_of(says, conditions)], noted(claim, evidence))


def order_matters(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: neighbours go together more in text as it is than in the same text disordered.

    One condition, in the later layer where the mean difference is largest; its p counts every layer
    that might have been chosen. Arms: (one,). Settings: `disordered`, the metric without the order.
    """
    both = layers(claim, evidence, claim.metric, claim.settings["disordered"])
    gain = [ordered - disordered for ordered, disordered in both]
    most = strongest(gain)
    says = f"in layer {most} the order of the text brings neighbours together"
    found = above_zero(says, gain[most], evidence, claim.unit, claim.margin)
    return Findings([best_of(found, len(gain) - 1)], noted(claim, evidence))


def topic_plays_no_part(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the domain says next to nothing of the expert, where the token says much.

    Conditions: the metric, mutual information with the domain, stays below the setting
    `domain_below` in the layer where it is largest; that with the token is above `token_above` in
    the layer where that is largest. Arms: (one,).
    """
    domain, token = np.max(layers(claim, evidence, claim.metric, "token_nmi"), axis=0)
    below, above = claim.settings["domain_below"], claim.settings["token_above"]
    says = f"{claim.unit} of domain and expert is below {below:g} in all layers"
    little = stays_below(says, domain, below, evidence, claim.unit)
    says = f"that of token and expert is above {above:g} in some layer"
    much = stays_above(says, token, above, evidence, claim.unit)
    return Findings([little, much], noted(claim, evidence))


def token_over_topic(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: in every layer the token tells more of the expert than the domain adds to it.

    One condition. Arms: (one,). Both are counted less what chance gives.
    """
    both = layers(claim, evidence, claim.metric, "domain_given_token")
    conditions = [
        above_zero(f"layer {number}", token - domain, evidence, claim.unit, claim.margin)
        for number, (token, domain) in enumerate(both)
    ]
    says = "the token tells more than the topic in every layer"
    return Findings([all_of(says, conditions)], noted(claim, evidence))


def layers(claim: Claim, evidence: Evidence, *names: str) -> list[list[Values]]:
    """Return metrics of the one arm by layer, paired by seed; without runs, two empty layers."""
    (arm,) = claim.arms
    scale = 100.0 if claim.unit == "percentage points" else 1.0
    found: list[list[Values]] = []
    while evidence.values(f"analysis/{len(found)}/{names[0]}", arm):
        seeds = [evidence.values(f"analysis/{len(found)}/{name}", arm) for name in names]
        found.append([scale * values for values in paired(*seeds)])
    return found or [[np.empty(0)] * len(names)] * 2


def strongest(values: list[Values]) -> int:
    """Return the number of the layer after the first whose mean is largest."""
    means = [float(later.mean()) if len(later) else -np.inf for later in values[1:]]
    return 1 + int(np.argmax(means))


def noted(claim: Claim, evidence: Evidence) -> dict[str, dict[str, float]]:
    """Return arm -> layer -> mean of the claim's metric, to be printed beside the verdict."""
    means = {
        f"layer {number}": float(values.mean())
        for number, (values,) in enumerate(layers(claim, evidence, claim.metric))
        if len(values)
    }
    return dict.fromkeys(claim.arms, means)
