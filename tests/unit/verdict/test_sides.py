"""Which side of a dispute is right, by the verdicts of its cells."""

from moebench.papers.claim import VerdictLabel
from moebench.papers.dispute import Dispute, Side
from moebench.verdict import Verdict
from moebench.verdict.sides import cells

SIDES = (Side(says="a is better", source="A"), Side(says="b is as good", source="B"))


def verdict(number: int, label: VerdictLabel, p: float | None = 0.001) -> Verdict:
    return Verdict(
        claim=f"D-{number}", version=1, says="", source="", verdict=label, why="", p=p, effect=0.1
    )


def sides_of(*verdicts: Verdict) -> list[int | None]:
    by_value = {f"at {number}": one.claim for number, one in enumerate(verdicts)}
    dispute = Dispute(question="a or b?", sides=SIDES, hinge="size", cells=by_value)
    return [cell.side for cell in cells(dispute, verdicts[::-1])]  # in any order


def test_the_first_side_is_right_where_it_holds_and_the_second_where_it_is_refuted() -> None:
    labels = list(VerdictLabel)
    found = sides_of(*(verdict(number, label) for number, label in enumerate(labels)))
    right = {label: side for label, side in zip(labels, found, strict=True) if side is not None}
    assert right == {VerdictLabel.REPRODUCED: 0, VerdictLabel.NOT_REPRODUCED: 1}


def test_a_sentence_about_several_values_is_corrected_for_their_number() -> None:
    some, other = VerdictLabel.REPRODUCED, VerdictLabel.NOT_REPRODUCED
    assert sides_of(verdict(0, some, 0.03), verdict(1, other, 0.001)) == [0, 1]
    assert sides_of(verdict(0, some, 0.03), verdict(1, other, 0.04)) == [None, None]
    assert sides_of(verdict(0, some, 0.03), verdict(1, other, None)) == [0, 1]
