"""DeepSeekMoE: the paper and its claims, including those that are arithmetic.

plan.py defines the arms. Source: Dai et al. 2024 (arXiv 2401.06066).
"""

from typing import Any

from moebench.papers.claim import Claim, Paper
from moebench.verdict.exact import Exact
from reproductions.deepseekmoe_2024.claims import TRAINED
from reproductions.deepseekmoe_2024.published import FLOPS, ROUTED

PAPER = Paper(
    key="deepseekmoe_2024",
    name="deepseek",
    order=2,
    title="DeepSeekMoE: Towards Ultimate Expert Specialization in Mixture-of-Experts Language "
    "Models",
    authors="Dai, Deng, Zhao, Xu and others",
    year=2024,
    arxiv="2401.06066",
    headline="DM24-01",
)
# Arms that are computed, not trained: name -> "module:function", which returns the metrics.
NAMES = ("combinations", "balance", "compute", "size")
COMPUTED = {name: f"reproductions.deepseekmoe_2024.arithmetic:{name}" for name in NAMES}
EXACT: dict[str, Any] = {"matched_on": None, "seeds": 1, "level": "arithmetic"}

ARITHMETIC = [
    Claim(
        key="DM24-10",
        says="Split in four, 16 experts of which two are chosen give 4,426,165,368 sets instead of "
        "120",
        source="Section 3.1",
        paper_values={"C(16, 2)": 120, "C(64, 8)": 4426165368},
        test=Exact(
            arm="combinations",
            metric="C(64, 8)",
            unit="sets",
            equals={"C(16, 2)": 120, "C(64, 8)": 4426165368},
            tolerance=0.5,  # whole numbers
        ),
        **EXACT,
    ),
    Claim(
        key="DM24-11",
        says="The balance loss of experts equals its factor at uniform routing, for any numbers of "
        "experts and picks; that of devices ignores imbalance inside a device, and sees it across "
        "devices",
        source="Section 3.3, equations 12 to 17",
        paper_values={"factor, 2B": 0.01, "factor, 16B": 0.001},
        test=Exact(
            arm="balance",
            metric="device/inside",
            unit="times the factor",
            equals={
                **{f"expert/uniform@{n},{k}": 1.0 for n, k in ROUTED},
                **{"device/inside": 1.0, "device/across": 4.0, "expert/inside": 2.0},
            },
            tolerance=1e-6,  # loads are in float32
        ),
        **EXACT,
    ),
    Claim(
        key="DM24-12",
        says="The 16B model takes about 40% of the compute of two dense models of 7B",
        source="Tables 3 and 4",
        paper_values={f"{name}, tera": value for name, value in FLOPS.items()},
        test=Exact(
            arm="compute",
            unit="per cent",
            equals={"of DeepSeek 7B": 40.5, "of LLaMA2 7B": 39.6},
            tolerance=0.05,
        ),
        **EXACT,
    ),
    Claim(
        key="DM24-12a",
        says="The 16B model has 16.4 billion parameters, 2.8 billion of them active",
        source="Section 5.1.2",
        paper_values={"parameters": "16.4B", "active": "2.8B"},
        test=Exact(
            arm="size",
            metric="parameters",
            unit="parameters",
            equals={"parameters": 16.4e9, "active parameters": 2.8e9},
            tolerance=0.05e9,  # published to a tenth of a billion
        ),
        **EXACT,
    ),
    Claim(
        key="DM24-12b",
        says="A training step of the 16B model takes 74.4 tera FLOPs for 4K tokens",
        source="Table 3",
        paper_values={"tera": FLOPS["DeepSeekMoE 16B"]},
        test=Exact(
            arm="size",
            unit="tera FLOPs",
            equals={"teraflops": FLOPS["DeepSeekMoE 16B"]},
            tolerance=0.05 * FLOPS["DeepSeekMoE 16B"],  # what counts as equal FLOPs here
        ),
        **EXACT,
    ),
    Claim(
        key="DM24-12c",
        says="With that it scores about as well as the two dense models, worse only on multiple "
        "choice",
        source="Tables 3 and 4",
        paper_values={
            "Pile, bits a byte": (0.74, 0.75, 0.76),
            "HellaSwag": (77.1, 75.4, 75.6),
            "MMLU": (45.0, 48.2, 45.8),
            "HumanEval": (26.8, 26.2, 14.6),
        },
        matched_on=None,
        level="not-testable-here",
        because="Needs models of 7 and 16 billion parameters trained on 2T tokens, and benchmarks.",
    ),
]
CLAIMS = sorted([*ARITHMETIC, *TRAINED], key=lambda claim: claim.key)
