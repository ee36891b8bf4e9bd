"""Worlds with a known answer for SW21-03, judged by its own test.

In one, a dense model lacks nothing but capacity, so the comparison must find the sparse model
ahead; in the other there is nothing to fill more capacity with, so it must find no effect.

They were added late. The records show it: all others are from commit 5c9459a, these from 466ebe5,
ten hours later, so the result of SW21-03 may have been known when they were made. They use the test
and margin of SW21-03, which were fixed before.
"""

from moebench.papers.claim import Claim
from moebench.verdict.comparisons import Difference

CONTROLS = [
    Claim(
        key="SW21-03p",
        says="Positive control: if a dense model lacks the capacity for all facts, a sparse one "
        "with equal FLOPs beats it",
        source="none; a control of SW21-03",
        paper_values={},
        test=Difference(first="recall_switch_8", second="recall_dense", margin=0.01),
        matched_on="active_flops",
        control_of="SW21-03",
        expects="effect",
        caution="its size was chosen from one run per arm, and seeds vary so much that it decides "
        "nothing; it needs to be redesigned",
    ),
    Claim(
        key="SW21-03n",
        version=2,  # judged by the test of its claim; version 1 by one of equality
        says="Null control: in a world with one small source, the sparse model does not beat the "
        "dense one",
        source="none; a control of SW21-03",
        paper_values={},
        test=Difference(first="one_source_switch_8", second="one_source_dense", margin=0.01),
        matched_on="active_flops",
        control_of="SW21-03",
        expects="no effect",
    ),
]
