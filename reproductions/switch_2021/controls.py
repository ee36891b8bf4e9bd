"""Worlds of known answer for SW21-03, fixed before any run that is judged.

In one, capacity is all that a dense model lacks, so the comparison has to find the sparse one
ahead; in the other there is nothing to put into more capacity, so it has to find no difference.
"""

from moebench.claims import Claim

CONTROLS = [
    Claim(
        key="SW21-03p",
        says="Positive control: where a dense model has no room for all the facts, a sparse one of "
        "equal FLOPs beats it",
        source="none; a control of SW21-03",
        paper_values={},
        arms=("recall_switch_8", "recall_dense"),
        matched_on="active_flops",
        margin=0.01,
        test="difference",
    ),
    Claim(
        key="SW21-03n",
        says="Null control: in a world of one small source the sparse model is as good as the "
        "dense one",
        source="none; a control of SW21-03",
        paper_values={},
        arms=("one_source_switch_8", "one_source_dense"),
        matched_on="active_flops",
        direction="equal",
        margin=0.01,
        test="equivalence",
    ),
]
