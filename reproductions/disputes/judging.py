"""The test that only a dispute uses."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moebench.papers.claim import ClaimTest
from moebench.verdict.claimed import above
from moebench.verdict.conditions import mean_is, unknown
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence, paired


@dataclass(frozen=True, kw_only=True)
class FollowsDomains(ClaimTest):
    """Given the token, the domain says enough about the expert, as a mean over the layers.

    It is the mutual information of domain and expert given the token, above chance, divided by the
    most that it could be: the entropy of equally frequent domains.

    Args:
        arm: the arm.
        domains: number of domains.
    """

    arm: str
    domains: int
    metric: str = "domain_given_token"
    unit: str = "normalised mutual information"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.domains < 2:
            raise ValueError(f"domains={self.domains}: must be at least 2")

    @property
    def arms(self) -> tuple[str, ...]:
        """The one arm."""
        return (self.arm,)

    @property
    def pairs(self) -> Sequence[tuple[str, str]]:
        """None: there is one arm."""
        return []

    def judge(self, evidence: Evidence) -> Findings:
        """Judge the mean over the layers."""
        says = f"given the token, experts of {self.arm} follow domains"
        layers: list[Mapping[int, float]] = []
        while found := evidence.values(f"analysis/{len(layers)}/{self.metric}", self.arm):
            layers.append(found)
        if not layers:
            return Findings(unknown(says, self.unit, "no layer was analysed"))
        by_layer = [values / math.log(self.domains) for values in paired(*layers)]
        notes = {self.arm: {f"layer {n}": float(one.mean()) for n, one in enumerate(by_layer)}}
        mean = np.mean(by_layer, axis=0)
        return Findings(mean_is(says, mean, above(self.margin), self.unit), notes=notes)
