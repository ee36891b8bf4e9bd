"""What the runs of a plan can decide, told before they are made from the spread of earlier runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim
from moebench.papers.plan import Plan, Profile
from moebench.verdict.conditions import Condition
from moebench.verdict.mixed_evidence import mixed_claim
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True)
class Sizing:
    """A claim, the seeds that are planned for it, and what earlier runs say of their spread."""

    claim: Claim
    seeds: int  # of each of its arms
    lead: Condition | None = None  # as earlier runs have it; None: they cannot judge the claim
    unknown: str = ""  # why they do not tell the spread

    @property
    def detectable(self) -> float:
        """The smallest margin that the planned seeds decide; infinite if the spread is unknown."""
        return inf if self.lead is None else self.lead.detectable(self.seeds)

    @property
    def needed(self) -> int | None:
        """The seeds that decide the claim; None if that is unknown."""
        return None if self.lead is None else self.lead.needed

    @property
    def enough(self) -> bool | None:
        """Whether the planned seeds decide it; None if that is unknown."""
        return None if self.needed is None else self.needed <= self.seeds


def size(claim: Claim, plan: Plan, profile: Profile, earlier: Sequence[RunRecord]) -> Sizing:
    """Return what a profile can decide about a claim.

    The correction for judging many claims is not counted: it depends on what the others show.

    Args:
        claim: judged from training.
        plan: of its paper.
        profile: plans the runs.
        earlier: runs of the paper, of one profile.
    """
    assert claim.test is not None
    evidence = Evidence.of(claim.arms, earlier)
    planned = [profile.seeds_of(arm) for arm in claim.arms if arm in profile.arms]
    seeds = claim.seeds if plan.seeds_in_a_run or not planned else min(planned)
    if evidence.missing:
        return Sizing(claim, seeds, unknown=f"no runs of {', '.join(evidence.missing)}")
    if why := mixed_claim(claim, evidence):
        return Sizing(claim, seeds, unknown=f"mixed evidence: {why}")
    lead = claim.test.judge(evidence).lead
    if lead.sd is not None:
        return Sizing(claim, seeds, lead, "" if lead.margin else "no smallest effect that counts")
    few = "fewer than two pairs of runs" if lead.effect.n < 2 else "not a mean over pairs of runs"
    return Sizing(claim, seeds, lead, few)
