"""One claim with its paper, its verdict and its runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from moebench.cli.explain.arm_groups import Family, families
from moebench.cli.lookup import Kept
from moebench.papers import Target
from moebench.papers.claim import Claim
from moebench.verdict import Verdict
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True)
class Case:
    """A claim with all that there is to say about it.

    Args:
        found: its paper.
        claim: what is explained.
        verdicts: on all claims of the paper, by key.
        runs: whose runs judge it: its own paper, or another target.
        kept: the records of those.
        everything: each value of very many runs is shown, too.
    """

    found: Target
    claim: Claim
    verdicts: Mapping[str, Verdict]
    runs: Target
    kept: Kept
    everything: bool = False

    @property
    def verdict(self) -> Verdict:
        """The verdict on the claim."""
        return self.verdicts[self.claim.key]

    @cached_property
    def evidence(self) -> Evidence:
        """The runs of the claim."""
        records = [one for one in self.kept.records if one.profile == self.kept.profile]
        return Evidence.of(self.claim.arms, records)

    @cached_property
    def families(self) -> list[Family]:
        """The arms of the claim, in the groups that they are described in."""
        return families(self.claim.arms, self.runs.plan)
