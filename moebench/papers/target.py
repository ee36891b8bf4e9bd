"""A paper with everything needed to reproduce it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moebench.papers.claim import Claim, Paper
from moebench.papers.dispute import Dispute
from moebench.papers.home import INSTALLED
from moebench.papers.plan import Plan


@dataclass(frozen=True)
class Target:
    """A paper, its claims and the plan of the runs that judge them."""

    paper: Paper
    claims: Sequence[Claim]
    plan: Plan
    configs: Path  # folder of its configurations
    evidence: Path  # its committed records, if there are any
    disputes: Sequence[Dispute] = ()  # what its claims judge between papers

    @property
    def name(self) -> str:
        """Its name in commands."""
        return self.paper.name or self.paper.key

    @property
    def folder(self) -> str:
        """Its name under configs/, reproductions/ and runs/."""
        return self.paper.key

    def command(self, profile: str = "") -> str:
        """Return the command that reproduces it; an installed moebench has no Makefile."""
        if INSTALLED:
            return f"moebench reproduce {self.name}" + (f" --profile {profile}" if profile else "")
        return f"make reproduce-{self.name}" + (f" PROFILE={profile}" if profile else "")
