"""A paper that only tests know: two claims about text, and no result."""

from moebench.papers.claim import Claim, Paper
from moebench.verdict.comparisons import Difference

PAPER = Paper(
    key="tiny_2026", name="tiny", title="Tiny Mixtures", authors="Nobody", year=2026, arxiv=""
)
CLAIMS = [
    Claim(
        key="TM26-01",
        says="With equal FLOPs a token the mixture beats the dense model",
        source="Table 1",
        paper_values={"mixture": 1.5, "dense": 1.7},
        test=Difference(first="switch_8", second="dense", margin=0.01),
        matched_on="active_flops",
        uncontrolled="nobody made one",
    ),
    Claim(
        key="TM26-02",
        says="Two experts a token are better than one",
        source="Table 1",
        paper_values={"two": 1.4},
        test=Difference(first="top2_8", second="switch_8", margin=0.01),
        matched_on="steps",
        uncontrolled="nobody made one",
    ),
]
