"""The claims that no run of this suite can judge, and why.

Source: Shazeer et al. 2017 (arXiv 1701.06538).
"""

from moebench.papers.claim import Claim

UNTESTED = [
    Claim(
        key="S17-12",
        says="Translation beats GNMT with reinforcement learning by 1.34 (En-Fr) and 1.12 (En-De) "
        "BLEU",
        source="Section 5.3",
        paper_values={"En-Fr": 40.56, "En-De": 26.03, "gain": (1.34, 1.12)},
        matched_on=None,
        level="not-testable-here",
        because="Needs WMT'14 and a translation model, which the suite does not have.",
    ),
    Claim(
        key="S17-13",
        says="The multilingual mixture has 19% lower perplexity than GNMT and wins 11 of 12 pairs",
        source="Section 5.4",
        paper_values={"perplexity": 3.35, "relative": -0.19, "wins": "11 of 12"},
        matched_on=None,
        level="not-testable-here",
        because="Needs corpora of twelve language pairs, which the suite does not have.",
    ),
]
