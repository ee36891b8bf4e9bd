"""The overlap of training and validation text, in words."""

from moebench.data.overlap import RUN
from moebench.report.paper.text_overlap import overlap_told, overlaps

from .fakes import record


def test_each_overlap_is_said_once() -> None:
    text = {"data/overlap": 0.0123, "data/overlap/art": 0.0, "data/overlap/law": 0.0456}
    other = {"data/overlap": 0.5, "data/overlap/only": 0.5}
    known = [record("a", metrics=metrics) for metrics in (text, other, text, {"valid/loss": 1.0})]
    assert overlaps(known) == [text, other]
    told = overlap_told(overlaps(known))
    assert told.endswith(f"in stretches of {RUN} tokens: 1.23% (art 0.00%, law 4.56%); 50.00%")
    assert overlap_told(overlaps([record("a")])) == "", "no text, or an older record"
