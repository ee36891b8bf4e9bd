"""Mixtral: the paper and its claims.

Losses are in nats per token; lower is better. plan.py defines the arms; `analysis/...` are metrics
of `moebench.analysis` at the last validation. Source: Jiang et al. 2024 (arXiv 2401.04088).
"""

from typing import Any

from moebench.papers.claim import Claim, Paper
from moebench.verdict.comparisons import Difference, NoWorse
from moebench.verdict.exact import Exact
from reproductions.mixtral_2024.controls import CONTROLS, EITHER, FIRST, KNOWN, LITTLE, OVER
from reproductions.mixtral_2024.judging import (
    DomainTellsLittle,
    NeighboursTogether,
    TokenOverDomain,
)
from reproductions.mixtral_2024.published import EITHER_5, FIRST_5, LLAMA, TABLE_2

PAPER = Paper(
    key="mixtral_2024",
    name="mixtral",
    title="Mixtral of Experts",
    authors="Jiang, Sablayrolles, Roux, Mensch and others",
    year=2024,
    arxiv="2401.04088",
    headline="MX24-03",
)
ARITHMETIC = "reproductions.mixtral_2024.arithmetic"
# Arms that are computed, not trained: name -> "module:function", which returns the metrics.
COMPUTED = {"size": f"{ARITHMETIC}:size", "wins": f"{ARITHMETIC}:wins", **KNOWN}
MIXTRAL = "mixtral_8"
SAME_FLOPS, SAME_PARAMETERS = "dense_flops", "dense_parameters"
EXACT: dict[str, Any] = {"matched_on": None, "seeds": 1, "level": "arithmetic"}
NO_KNOWN = (
    "for no text is the gain of a mixture known in advance, and no dense model was trained in the "
    "world of independent draws"
)

STATEMENTS = [
    Claim(
        key="MX24-01",
        version=2,  # version 1 compared the numbers with themselves, not with the published ones
        says="A model with the published dimensions has 47 billion parameters, 13 billion of them "
        "active for a token",
        source="Table 1, section 3",
        paper_values={"parameters": "47B", "active": "13B"},
        test=Exact(
            arm="size",
            metric="parameters",
            unit="parameters",
            equals={"parameters": 47e9, "active parameters": 13e9},
            tolerance=0.5e9,  # published in whole billions
        ),
        **EXACT,
    ),
    Claim(
        key="MX24-02",
        version=2,  # version 1 mistook languages for topics
        says="The choice of experts hardly depends on the topic",
        source="Section 5, Figure 7",
        paper_values={"share of each expert": 0.125, "exception": "DM Mathematics"},
        matched_on=None,
        because="The domains of the text are Python, C++ and English: three languages with "
        "different tokens, not topics. Needs runs on text about several topics in one language.",
        out_of_reach=False,
    ),
    Claim(
        key="MX24-02d",
        late=True,
        says="The choice of experts hardly depends on whether the text is Python, C++ or English",
        source="none; MX24-02 with languages instead of topics",
        paper_values={},
        ours=True,
        matched_on=None,
        test=DomainTellsLittle(arm=MIXTRAL, **LITTLE),
    ),
    Claim(
        key="MX24-03",
        version=3,  # version 1 compared neighbours with chance only, 2 accepted any later layer
        says="In a middle layer and in the last one, consecutive tokens have the same first expert "
        "more often than the same tokens in random order; in the first layer they do not",
        source="Table 5, first choice",
        paper_values={"GitHub, layer 0, 15, 31": FIRST_5["github"], "chance": 12.5},
        matched_on=None,
        test=NeighboursTogether(arm=MIXTRAL, **FIRST),
    ),
    Claim(
        key="MX24-04",
        version=3,  # like MX24-03; in the last layer mostly true, by any amount
        says="In a middle layer, and by any amount in the last one, consecutive tokens share one "
        "of their two experts more often than the same tokens in random order; in the first layer "
        "they do not",
        source="Table 5, first or second choice",
        paper_values={"GitHub, layer 0, 15, 31": EITHER_5["github"], "chance": 46.43},
        matched_on=None,
        test=NeighboursTogether(arm=MIXTRAL, **EITHER),
    ),
    Claim(
        key="MX24-05",
        version=2,  # version 1 left out where the paper sees it most
        says="The token itself says more about its expert than the topic does, above all in the "
        "first and the last layer",
        source="Section 5, Figure 8",
        paper_values={},
        matched_on=None,
        test=TokenOverDomain(arm=MIXTRAL, **OVER),
        caution="the topics here are three languages, which should say more than topics within one "
        "language; chance was estimated with a bias that affects the sizes of both but not their "
        "order (README)",
    ),
    Claim(
        key="MX24-06",
        version=2,  # version 1 used a count of three losses entered by hand
        says="It matches or beats Llama 2 70B on all evaluated benchmarks",
        source="Abstract; scores in Table 2",
        paper_values={
            name: (ours, theirs) for name, (ours, theirs) in TABLE_2.items() if ours < theirs
        },
        test=Exact(
            arm="wins",
            metric="wins",
            unit=f"of {len(TABLE_2)} benchmarks",
            equals={"wins": len(TABLE_2)},
        ),
        **EXACT,
    ),
    Claim(
        key="MX24-06a",
        says="It has five times fewer active parameters than Llama 2 70B",
        source="Caption of Table 2",
        paper_values={"active": "13B", "Llama 2": "70B"},
        test=Exact(
            arm="size",
            metric="active parameters",
            unit="parameters",
            at_most={"active parameters": LLAMA / 5},
        ),
        **EXACT,
    ),
    Claim(
        key="MX24-06b",
        says="It matches or beats Llama 2 70B on almost all popular benchmarks",
        source="Caption of Table 2",
        paper_values={"Table 2": "9 of 12"},
        matched_on=None,
        because="The caption does not say how many almost all are; MX24-06 counts 9 of 12.",
    ),
    Claim(
        key="MX24-07",
        says="It beats a dense decoder with equal active FLOPs per token",
        source="none; the ordering behind section 3, at this scale",
        paper_values={"active": "13B", "total": "47B"},
        ours=True,
        matched_on="active_flops",
        test=Difference(first=MIXTRAL, second=SAME_FLOPS, margin=0.01),
        uncontrolled=NO_KNOWN,
    ),
    Claim(
        key="MX24-08",
        says="It matches or beats a dense decoder with equal total parameters (the paper's rival "
        "has half as many again)",
        source="none; the ordering behind the abstract, at this scale",
        paper_values={"total": "47B", "Llama 2": "70B"},
        ours=True,
        matched_on="total_params",
        test=NoWorse(first=MIXTRAL, second=SAME_PARAMETERS, margin=0.02),
        uncontrolled=NO_KNOWN,
    ),
]
CLAIMS = sorted([*STATEMENTS, *CONTROLS], key=lambda claim: claim.key)
