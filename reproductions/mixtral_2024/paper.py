"""Mixtral: the paper and its claims, fixed before any judged run.

Losses are in nats per token, lower is better. The arms stand in plan.py; `analysis/...` is what the
instruments of `moebench.analysis` find with the last validation. Source: Jiang et al. 2024 (arXiv
2401.04088).
"""

from typing import Any

from moebench.claims import Claim, Paper
from reproductions.mixtral_2024.published import BEHIND_2, COLUMNS_2, EITHER_5, FIRST_5

PAPER = Paper(
    key="mixtral_2024",
    name="mixtral",
    title="Mixtral of Experts",
    authors="Jiang, Sablayrolles, Roux, Mensch and others",
    year=2024,
    arxiv="2401.04088",
)
ARITHMETIC = "reproductions.mixtral_2024.arithmetic"
# Arms that are functions, not trainings: name -> "module:function", which returns the metrics.
COMPUTED = {"size": f"{ARITHMETIC}:size", "wins": f"{ARITHMETIC}:wins"}
MIXTRAL = "mixtral_8"
SAME_FLOPS, SAME_PARAMETERS = "dense_flops", "dense_parameters"
NULL = "uniform"
EXACT: dict[str, Any] = {
    "matched_on": None,
    "seeds": 1,
    "test": "exact",
    "direction": "equal",
    "level": "arithmetic",
}
ALONE: dict[str, Any] = {"arms": (MIXTRAL,), "matched_on": None}

CLAIMS = [
    Claim(
        key="MX24-01",
        says="A model of the printed dimensions has 47 billion parameters, 13 billion of them at "
        "work on a token",
        source="Table 1, section 3",
        paper_values={"parameters": "47B", "active": "13B"},
        arms=("size",),
        metric="parameters",
        unit="parameters",
        settings={
            "equals": {"parameters": 46_702_792_704, "active parameters": 12_879_925_248},
            "tolerance": 0.0,
        },
        **EXACT,
    ),
    Claim(
        key="MX24-02",
        says="Which experts are asked hardly depends on the topic",
        source="Section 5, Figure 7",
        paper_values={"share of each expert": 0.125, "exception": "DM Mathematics"},
        metric="domain_nmi",
        unit="normalised mutual information",
        test="topic_plays_no_part",
        settings={"domain_below": 0.05, "token_above": 0.2},
        **ALONE,
    ),
    Claim(
        key="MX24-03",
        says="Consecutive tokens have the same first expert more often than chance in later "
        "layers, and not in the first",
        source="Table 5, first choice",
        paper_values={"layer 0, 15, 31": FIRST_5["github"], "chance": 12.5},
        metric="repeats_excess",
        unit="percentage points",
        direction="higher",
        margin=5.0,
        test="neighbours_together",
        settings={"first_within": 2.0},
        **ALONE,
    ),
    Claim(
        key="MX24-03n",
        says="Null control: where every token is drawn by itself, neighbours go together no more "
        "often than chance",
        source="none; a control of MX24-03",
        paper_values={},
        arms=(NULL,),
        matched_on=None,
        metric="repeats_excess",
        unit="percentage points",
        direction="equal",
        margin=2.0,
        test="neighbours_apart",
    ),
    Claim(
        key="MX24-03o",
        says="Control of the order: the same text with its tokens shuffled has fewer neighbours "
        "with the same first expert beyond chance",
        source="none; a control of MX24-03",
        paper_values={},
        metric="repeats_excess",
        unit="percentage points",
        direction="higher",
        margin=2.0,
        test="order_matters",
        settings={"disordered": "repeats_disordered"},
        **ALONE,
    ),
    Claim(
        key="MX24-04",
        says="Consecutive tokens share one of their two experts more often than chance in later "
        "layers, and not in the first",
        source="Table 5, first or second choice",
        paper_values={"layer 0, 15, 31": EITHER_5["github"], "chance": 46.43},
        metric="overlap_excess",
        unit="percentage points",
        direction="higher",
        margin=5.0,
        test="neighbours_together",
        settings={"first_within": 2.0},
        **ALONE,
    ),
    Claim(
        key="MX24-05",
        says="The token itself says more about its expert than the topic does, in every layer",
        source="Section 5, Figure 8",
        paper_values={},
        metric="token_information",
        unit="nats about the expert",
        direction="higher",
        test="token_over_topic",
        **ALONE,
    ),
    Claim(
        key="MX24-06",
        says="It is ahead of Llama 2 70B on almost all benchmarks, not on all as the abstract says",
        source="Abstract, Table 2",
        paper_values=dict(BEHIND_2),
        arms=("wins",),
        metric="wins",
        unit=f"of {COLUMNS_2} benchmarks",
        settings={"equals": {"wins": 9.0, "benchmarks": 12.0}, "tolerance": 0.0},
        **EXACT,
    ),
    Claim(
        key="MX24-07",
        says="It beats a dense decoder of as many active FLOPs a token",
        source="Section 3; the ordering behind it, at this scale",
        paper_values={"active": "13B", "in all": "47B"},
        arms=(MIXTRAL, SAME_FLOPS),
        matched_on="active_flops",
        margin=0.01,
        test="difference",
    ),
    Claim(
        key="MX24-08",
        says="It matches or beats a dense decoder of as many parameters in all; the paper's rival "
        "has half as many again",
        source="Abstract; the ordering behind it, at this scale",
        paper_values={"in all": "47B", "Llama 2": "70B"},
        arms=(MIXTRAL, SAME_PARAMETERS),
        matched_on="total_params",
        margin=0.02,
        test="no_worse",
    ),
]
