"""Which side of a dispute is right at which value of its hinge, by the verdicts of its cells."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moebench.papers.claim import JUDGED, VerdictLabel
from moebench.papers.dispute import Dispute
from moebench.statistics import holm
from moebench.verdict.conditions import LEVEL
from moebench.verdict.outcome import Verdict


@dataclass(frozen=True)
class Cell:
    """One value of the hinge, and what the runs say there.

    Args:
        value: of the hinge, such as `at capacity 1.0`.
        verdict: on its claim.
        sure: whether the p of the verdict holds beside those of the other values, by Holm.
    """

    value: str
    verdict: Verdict
    sure: bool

    @property
    def judged(self) -> bool:
        """Whether there were runs to judge it by."""
        return self.verdict.verdict in JUDGED

    @property
    def side(self) -> int | None:
        """The side that is right, 0 or 1; None while that is undecided or not judged."""
        sides = {VerdictLabel.REPRODUCED: 0, VerdictLabel.NOT_REPRODUCED: 1}
        return sides.get(self.verdict.verdict) if self.sure else None


def cells(dispute: Dispute, verdicts: Iterable[Verdict]) -> list[Cell]:
    """Return the cells of a dispute, in its order.

    A sentence about all values of a hinge is wrong if any of them is, so their p values are
    corrected together; where the corrected p is too large, the value is undecided.
    """
    by_claim: Mapping[str, Verdict] = {verdict.claim: verdict for verdict in verdicts}
    found = [by_claim[key] for key in dispute.cells.values()]
    adjusted = iter(holm([one.p for one in found if one.p is not None]))
    return [
        Cell(value, one, one.p is None or next(adjusted) <= LEVEL)
        for value, one in zip(dispute.cells, found, strict=True)
    ]
