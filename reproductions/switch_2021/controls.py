"""Worlds of known answer for SW21-03, judged by its own test.

In one, capacity is all that a dense model lacks, so the comparison has to find the sparse one
ahead; in the other there is nothing to put into more capacity, so it has to find no effect.

They came late. The records tell: all others are of commit 5c9459a, and these of 466ebe5, ten hours
younger, so what SW21-03 compares may have been known when they were made. The test and margin
of SW21-03 were fixed before, and are theirs.
"""

from moebench.papers.claim import Claim
from moebench.verdict.comparisons import Difference

CONTROLS = [
    Claim(
        key="SW21-03p",
        says="Positive control: where a dense model has no room for all the facts, a sparse one of "
        "equal FLOPs beats it",
        source="none; a control of SW21-03",
        paper_values={},
        test=Difference(first="recall_switch_8", second="recall_dense", margin=0.01),
        matched_on="active_flops",
        control_of="SW21-03",
        expects="effect",
        caution="its size was chosen from one run an arm, and seeds differ by so much that it "
        "decides nothing: it is to be designed anew",
    ),
    Claim(
        key="SW21-03n",
        version=2,  # judged by the test of its claim; version 1 by one of equality
        says="Null control: in a world of one small source the sparse model does not beat the "
        "dense one",
        source="none; a control of SW21-03",
        paper_values={},
        test=Difference(first="one_source_switch_8", second="one_source_dense", margin=0.01),
        matched_on="active_flops",
        control_of="SW21-03",
        expects="no effect",
    ),
]
