"""Tests of claims about the rows of a table: one against the rest, and a row by its setting."""

import numpy as np

from moebench.claims import Claim
from moebench.statistics import Values, mean_interval, mean_p, spearman
from moebench.verdict.conditions import LEVEL, Condition, State, above_zero
from moebench.verdict.evidence import Evidence
from moebench.verdict.findings import Findings


def worse_than_rest(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the first arm has a higher metric than the others on average, which are alike.

    Conditions: first - mean of the others, seed by seed, is above zero; a share of that gap is
    larger than the others' spread, from smallest to largest of the same seed. Noise widens the
    spread, so the second is hard to fulfil.

    Arms: (first, other, other, ...). Settings: `share` of the gap, and `noted`, metrics whose
    means are printed beside each arm.
    """
    first, *others = evidence.paired(claim.metric, *claim.arms)
    gap = first - np.mean(others, axis=0)
    says = f"{claim.arms[0]} has a higher {claim.metric} than the mean of the others"
    worse = above_zero(says, gap, evidence, claim.unit, claim.margin)
    share = claim.settings["share"]
    says = f"the others differ by less than {share:.2g} of that gap"
    alike = above_zero(says, share * gap - np.ptp(others, axis=0), evidence, claim.unit)
    return Findings([worse, alike], _notes(claim, evidence))


def times_as_large(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the metric of the first arm is several times that of the second.

    The geometric mean of the ratios, seed by seed; it holds if its interval is above the setting
    `at_least`, and is refuted by one below `refuted_below`.

    Arms: (first, second). Settings: those two, and `noted` as in `worse_than_rest`.
    """
    first, second = evidence.paired(claim.metric, *claim.arms)
    at_least = claim.settings["at_least"]
    excess = np.log(first / second / at_least)
    interval = mean_interval(excess, evidence.rng)
    p = mean_p(excess) if interval.estimate > 0 else 1.0
    ratio = interval.mapped(lambda logarithm: float(at_least * np.exp(logarithm)))
    holds = interval.low > 0 and p <= LEVEL
    refuted = ratio.high < claim.settings["refuted_below"]
    state = State.HOLDS if holds else State.REFUTED if refuted else State.OPEN
    says = f"{claim.metric} of {claim.arms[0]} is at least {at_least:g} times that of "
    says += claim.arms[1]
    return Findings([Condition(says, state, ratio, claim.unit, p)], _notes(claim, evidence))


def rank_correlation(claim: Claim, evidence: Evidence) -> Findings:
    """Judge: the metric falls as a setting of the arms rises, in the order of ranks.

    Spearman's coefficient, one a seed. It holds if their mean is at most the setting `at_most` and
    the interval below `refuted_above`; an interval above that refutes it.

    Arms: any. Settings: `values`, that of each arm, and the two limits.
    """
    arms = evidence.paired(claim.metric, *claim.arms)
    values = np.array(claim.settings["values"], dtype=float)
    # Rounded, because a coefficient of a few ranks is a fraction that binary misses by a hair.
    rho: Values = np.array([round(spearman(values, row), 9) for row in np.transpose(arms)])
    above = claim.settings["refuted_above"]
    interval, p = mean_interval(rho, evidence.rng), mean_p(rho, above, "less")
    at_most = claim.settings["at_most"]
    holds = interval.estimate <= at_most and interval.high < above and p <= LEVEL
    state = State.HOLDS if holds else State.REFUTED if interval.low > above else State.OPEN
    says = f"ranks of {claim.metric} fall with the setting: correlation at most {at_most:g}"
    return Findings([Condition(says, state, interval, claim.unit, p)], _notes(claim, evidence))


def _notes(claim: Claim, evidence: Evidence) -> dict[str, dict[str, float]]:
    """Return arm -> metric -> mean, for the metrics in the setting `noted`."""
    return {
        arm: {
            metric: float(values.mean())
            for metric in claim.settings.get("noted", ())
            if len(values := evidence.sample(metric, arm))
        }
        for arm in claim.arms
    }
