"""Tests for the paper's claims about routing: neighbours, topic and token, layer by layer.

The metric of a test is a name in `moebench.analysis.metrics` without `analysis/<layer>/`: a run has
one value per layer. Every test looks at one arm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.verdict.claimed import above, within
from moebench.verdict.conditions import all_of, any_of, mean_is, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence, paired
from moebench.verdict.ratios import limit

PERCENT = 100.0  # shares are judged in percentage points


@dataclass(frozen=True, kw_only=True)
class Layered(ClaimTest):
    """What these tests have in common.

    Args:
        arm: the arm whose routing was analysed.
    """

    arm: str

    @property
    def arms(self) -> tuple[str, ...]:
        """The one arm."""
        return (self.arm,)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: there is one arm."""
        return []

    def layers(self, evidence: Evidence, *names: str) -> list[list[Values]]:
        """Return the metrics of each layer, over the seeds that have all of them."""
        found: list[Mapping[int, float]] = []
        layer = 0
        while evidence.values(f"analysis/{layer}/{names[0]}", self.arm):
            found += [evidence.values(f"analysis/{layer}/{name}", self.arm) for name in names]
            layer += 1
        values = paired(*found) if found else []
        return [values[i : i + len(names)] for i in range(0, len(values), len(names))]

    def unseen(self, says: str) -> Findings:
        """Return the findings if no run has values for two layers."""
        return Findings(unknown(says, self.unit, "fewer than two layers were analysed"))

    def noted(self, by_layer: Sequence[Values]) -> Mapping[str, Mapping[str, float]]:
        """Return the mean of each layer, to print beside the arm."""
        means = {f"layer {n}": float(values.mean()) for n, values in enumerate(by_layer)}
        return {self.arm: means}


@dataclass(frozen=True, kw_only=True)
class NeighboursTogether(Layered):
    """In later layers text order makes neighbours share experts; in the first layer it does not.

    The effect of order is the excess over chance in the original text, minus that in the same text
    with its tokens in random order. Attention averages over the preceding tokens, so neighbours
    resemble each other even if all tokens are independent draws; an excess over chance alone would
    not distinguish the two. A middle layer and the last one lead together, because without them
    there is nothing to explain.

    Args:
        disordered: the metric in disordered text; `metric` is the one in the original text.
        last: the margin for the last layer; `margin` applies to the middle layers.
        first_within: how close to zero the effect must be in the first layer.
    """

    disordered: str
    last: float
    first_within: float
    unit: str = "percentage points"

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the later layers, then the first."""
        says = "in later layers text order makes neighbours share experts"
        both = self.layers(evidence, self.metric, self.disordered)
        if len(both) < 2:
            return self.unseen(says)
        gains = [PERCENT * (ordered - disordered) for ordered, disordered in both]
        end = len(gains) - 1
        middle = [
            mean_is(f"layer {n}", gains[n], above(self.margin), self.unit) for n in range(1, end)
        ]
        later = [any_of("a middle layer", middle)] if middle else []
        later.append(mean_is(f"layer {end}", gains[end], above(self.last), self.unit))
        near = within(-self.first_within, self.first_within)
        not_first = f"in the first layer the effect is below {self.first_within:g} {self.unit}"
        sides = [mean_is(not_first, gains[0], near, self.unit)]
        return Findings(all_of(says, later), sides, notes=self.noted(gains))


@dataclass(frozen=True, kw_only=True)
class DomainTellsLittle(Layered):
    """The domain says almost nothing about the expert in any layer; the token says much in some.

    Each is judged by its largest value over the layers of a run. The domain leads; the token only
    shows that the choice of experts depends on something at all.

    Args:
        token: the same metric for the token; `metric` is the one for the domain.
        below: upper limit for the domain.
        token_above: lower limit for the token.
    """

    token: str
    below: float
    token_above: float
    unit: str = "normalised mutual information"

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the domain, then the token."""
        says = f"{self.unit} of domain and expert is below {self.below:g} in all layers"
        both = self.layers(evidence, self.metric, self.token)
        if len(both) < 2:
            return self.unseen(says)
        domain, token = np.max(both, axis=0)
        little = mean_is(says, domain, limit(self.below, above=False), self.unit)
        says = f"that of token and expert is above {self.token_above:g} in some layer"
        much = mean_is(says, token, limit(self.token_above, above=True), self.unit)
        return Findings(little, [much], notes=self.noted([values for values, _ in both]))


@dataclass(frozen=True, kw_only=True)
class TokenOverDomain(Layered):
    """In every layer the token says more about the expert than the domain adds to it.

    That leads; a side condition asks that the token's advantage is greatest in the first and in the
    last layer. Both metrics are corrected for chance.

    Args:
        domain: the metric for what the domain adds; `metric` is the one for the token.
    """

    domain: str
    unit: str = "nats about the expert"

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every layer, then the first and last against all layers between them."""
        says = "in every layer the token says more than the domain adds"
        both = self.layers(evidence, self.metric, self.domain)
        if len(both) < 2:
            return self.unseen(says)
        gaps = [token - domain for token, domain in both]
        lead = all_of(
            says,
            [mean_is(f"layer {n}", g, above(self.margin), self.unit) for n, g in enumerate(gaps)],
        )
        last = len(gaps) - 1
        greater = [
            mean_is(f"layer {end} against {middle}", gaps[end] - gaps[middle], above(), self.unit)
            for end, middle in product((0, last), range(1, last))
        ]
        says = "more so in the first and the last layer than in between"
        return Findings(lead, [all_of(says, greater)] if greater else (), notes=self.noted(gaps))
