"""A question on which papers disagree, as data: both sides, and what decides between them.

A folder of papers has them in `paper.py` as DISPUTES, beside its CLAIMS. Which side is right at
which value of the hinge follows from the verdicts, see `moebench.verdict.sides`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moebench.papers.claim import Claim
from moebench.papers.nearest import nearest


@dataclass(frozen=True, kw_only=True)
class Side:
    """What one side of a dispute says."""

    says: str  # a clause that a condition can follow: `hashing is as good as a learned gate`
    source: str  # who says it, and where
    claims: tuple[
        str, ...
    ] = ()  # keys of the claims judged here that bear on it, which may also ask more


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A question, its two sides, and the claims that say where each of them is right.

    The claim of a cell says that the first side is right at one value of the hinge, with everything
    else held fixed. If it is refuted, the second side is right there.

    Raises:
        ValueError: without two sides that say different things, or with fewer than two cells or one
            claim in several.
    """

    question: str
    sides: tuple[Side, ...]  # two; the claims of the cells are those of the first
    hinge: str  # what probably explains the difference
    cells: Mapping[str, str]  # value of the hinge, such as `at capacity 1.0` -> key of its claim

    def __post_init__(self) -> None:
        where = f"dispute {self.question!r}"
        if len({side.says for side in self.sides}) != 2 or len(self.sides) != 2:
            raise ValueError(f"{where}: sides={len(self.sides)}: must be two, which differ")
        if len(self.cells) < 2:
            raise ValueError(f"{where}: cells={len(self.cells)}: must be two values or more")
        if len(set(self.cells.values())) < len(self.cells):
            raise ValueError(f"{where}: cells: a claim is that of several values")


def check_cells(disputes: Sequence[Dispute], claims: Sequence[Claim]) -> None:
    """Check the cells of disputes against the claims of their own folder.

    Raises:
        ValueError: for a claim that does not exist, or that is a control or a statement of a paper.
    """
    by_key = {claim.key: claim for claim in claims}
    for dispute in disputes:
        for value, key in dispute.cells.items():
            where = f"dispute {dispute.question!r}: cells[{value!r}]={key}"
            if key not in by_key:
                raise ValueError(f"{where}: no claim of this folder; {nearest(key, by_key)}")
            if not by_key[key].ours or by_key[key].control_of:
                raise ValueError(f"{where}: must be a claim of ours (ours=True), and no control")


def check_sides(disputes: Sequence[Dispute], known: Sequence[str]) -> None:
    """Check that the claims of all sides exist in some paper.

    Args:
        disputes: the disputes.
        known: keys of the claims of all papers.

    Raises:
        ValueError: for the first one that does not.
    """
    for dispute in disputes:
        for key in (key for side in dispute.sides for key in side.claims):
            if key not in known:
                where = f"dispute {dispute.question!r}: claim={key}"
                raise ValueError(f"{where}: unknown in all papers; {nearest(key, known)}")
