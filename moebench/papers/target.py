"""A paper with all that it takes to reproduce it, and what becomes of its records."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers.claim import Claim, Paper
from moebench.papers.plan import PaperTable, Plan
from moebench.verdict import Verdict, judge
from moebench.verdict.mixture import mixtures


@dataclass(frozen=True)
class Target:
    """A paper, its claims and the plan of runs that judges them."""

    paper: Paper
    claims: Sequence[Claim]
    plan: Plan
    configs: Path  # folder of its configurations
    evidence: Path  # its committed records, where there are any

    @property
    def name(self) -> str:
        """What commands call it."""
        return self.paper.name or self.paper.key

    @property
    def folder(self) -> str:
        """Its name under configs/, reproductions/ and runs/."""
        return self.paper.key

    def judge(
        self,
        records: Sequence[RunRecord],
        profile: str,
        records_of: Callable[[str], Path],
    ) -> list[Verdict]:
        """Return the verdicts on all claims by the records of a profile.

        Args:
            records: of this target.
            profile: whose records count.
            records_of: where the records of another target are, by its name; for claims that those
                judge. A file that is not there has none.
        """
        others = dict.fromkeys(claim.runs_of for claim in self.claims if claim.runs_of)
        paths = {name: records_of(name) for name in others}
        elsewhere = {name: read(path) for name, path in paths.items() if path.exists()}
        return judge(self.claims, records, profile, elsewhere, self.plan)

    def tables(self, records: Sequence[RunRecord]) -> Sequence[PaperTable]:
        """Return the paper's tables with our figures in them; none where the plan names none.

        Mixed evidence fills none: the caption says why.
        """
        from moebench.run.function import named  # needs torch, which judging does without

        if not self.plan.tables:
            return ()
        found: Sequence[PaperTable] = named(self.plan.tables)(records)
        if reasons := mixtures(self.claims, records):
            why = f"Not shown, for the evidence is mixed: {'; '.join(reasons)}."
            return [replace(table, caption=why, rows=()) for table in found]
        return found
