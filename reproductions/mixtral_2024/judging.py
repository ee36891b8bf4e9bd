"""Tests of what the paper says of its routing: neighbours, topic and token, layer by layer.

The metric of a test is a name of `moebench.analysis.metrics` without `analysis/<layer>/`: a run
has one value a layer. All of them look at one arm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.statistics import Values
from moebench.verdict.conditions import above, all_of, any_of, mean_is, unknown, within
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence, paired
from moebench.verdict.ratios import limit

PERCENT = 100.0  # shares are judged in percentage points


@dataclass(frozen=True, kw_only=True)
class Layered(ClaimTest):
    """What these tests have in common.

    Args:
        arm: whose routing was looked at.
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
        """Return metrics by layer, over the seeds that have them all."""
        found: list[Mapping[int, float]] = []
        layer = 0
        while evidence.values(f"analysis/{layer}/{names[0]}", self.arm):
            found += [evidence.values(f"analysis/{layer}/{name}", self.arm) for name in names]
            layer += 1
        values = paired(*found) if found else []
        return [values[i : i + len(names)] for i in range(0, len(values), len(names))]

    def unseen(self, says: str) -> Findings:
        """Return what is found where no run has values of two layers."""
        return Findings(unknown(says, self.unit, "the routing of fewer than two layers was seen"))

    def noted(self, by_layer: Sequence[Values]) -> Mapping[str, Mapping[str, float]]:
        """Return the means by layer, to be printed beside the arm."""
        means = {f"layer {n}": float(values.mean()) for n, values in enumerate(by_layer)}
        return {self.arm: means}


@dataclass(frozen=True, kw_only=True)
class NeighboursTogether(Layered):
    """In later layers the order of the text brings neighbours together; in the first it does not.

    What the order brings is the excess over chance in the text as it is, less that in the same text
    with its tokens in random order. Attention averages over what came before, so neighbours
    resemble one another in a world of independent draws, too: an excess over chance alone tells
    that world from no other. A layer in the middle and the last one lead as one, as without them
    there is nothing to explain.

    Args:
        disordered: the metric in disordered text; `metric` is that in the text as it is.
        last: what counts in the last layer; the margin is that of the layers in the middle.
        first_within: so near to nought it is in the first layer.
    """

    disordered: str
    last: float
    first_within: float
    unit: str = "percentage points"

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the later layers, then the first."""
        says = "in later layers the order of the text brings neighbours together"
        both = self.layers(evidence, self.metric, self.disordered)
        if len(both) < 2:
            return self.unseen(says)
        gains = [PERCENT * (ordered - disordered) for ordered, disordered in both]
        end = len(gains) - 1
        middle = [
            mean_is(f"layer {n}", gains[n], above(self.margin), self.unit) for n in range(1, end)
        ]
        later = [any_of("a layer in the middle", middle)] if middle else []
        later.append(mean_is(f"layer {end}", gains[end], above(self.last), self.unit))
        near = within(-self.first_within, self.first_within)
        not_first = f"in the first layer it does so by less than {self.first_within:g} {self.unit}"
        sides = [mean_is(not_first, gains[0], near, self.unit)]
        return Findings(all_of(says, later), sides, notes=self.noted(gains))


@dataclass(frozen=True, kw_only=True)
class DomainTellsLittle(Layered):
    """The domain tells next to nothing of the expert in any layer; the token much in some.

    Each is judged by its largest value over the layers of a run. The domain leads: the token is
    there to show that experts are told apart by anything at all.

    Args:
        token: the same metric of the token; `metric` is that of the domain.
        below: limit of the domain's.
        token_above: limit of the token's.
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
    """In every layer the token tells more of the expert than the domain adds to it.

    That leads; besides, the lead of the token is greatest in the first and in the last layer. Both
    are counted less what chance gives.

    Args:
        domain: the metric of what the domain adds; `metric` is that of the token.
    """

    domain: str
    unit: str = "nats about the expert"

    def judge(self, evidence: Evidence) -> Findings:
        """Judge every layer, then both ends against all layers between them."""
        says = "the token tells more than the domain adds in every layer"
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
        says = "more so in the first and in the last layer than between them"
        return Findings(lead, [all_of(says, greater)] if greater else (), notes=self.noted(gaps))
