"""The papers that can be reproduced, by the name that `make reproduce-<name>` uses."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from moebench.claims import Claim, Paper
from moebench.plan import PaperTable, Plan
from moebench.records import RunRecord
from moebench.run.function import named
from moebench.verdict.mixture import mixtures

FOLDERS = {
    "vowel": "jacobs_1991",
    "hierarchical": "jordan_1994",
    "shazeer": "shazeer_2017",
    "switch": "switch_2021",
    "mixtral": "mixtral_2024",
    "loss-free": "loss_free_2024",
    "notes": "source_notes",
}


@dataclass(frozen=True)
class Target:
    """A paper, its claims and the plan of runs that judges them."""

    name: str
    folder: str  # the same under configs/, reproductions/ and runs/
    paper: Paper
    claims: Sequence[Claim]
    plan: Plan
    configs: Path  # folder of its configurations
    evidence: Path  # its committed records, where there are any

    def tables(self, records: Sequence[RunRecord]) -> Sequence[PaperTable]:
        """Return the paper's tables with our figures in them; none where the plan names none.

        Mixed evidence fills none: the caption says why.
        """
        if not self.plan.tables:
            return ()
        found: Sequence[PaperTable] = named(self.plan.tables)(records)
        if reasons := mixtures(self.claims, records):
            why = f"Not shown, for the evidence is mixed: {'; '.join(reasons)}."
            return [replace(table, caption=why, rows=()) for table in found]
        return found


def target(name: str) -> Target:
    """Return the target of that name.

    Raises:
        ValueError: if there is none; names those there are.
    """
    if name not in FOLDERS:
        raise ValueError(f"target={name}: unknown; one of {', '.join(FOLDERS)}")
    folder = FOLDERS[name]
    package = importlib.import_module(f"reproductions.{folder}")
    paper = importlib.import_module(f"reproductions.{folder}.paper")
    plan = importlib.import_module(f"reproductions.{folder}.plan")
    checkout = Path(str(package.__file__)).parents[2]
    return Target(
        name=name,
        folder=folder,
        paper=paper.PAPER,
        claims=paper.CLAIMS,
        plan=plan.PLAN,
        configs=checkout / "configs" / folder,
        evidence=checkout / "reproductions" / folder / "results.jsonl",
    )
