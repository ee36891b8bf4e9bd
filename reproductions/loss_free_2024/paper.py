"""Balancing without a loss: the paper and its claims, and those of DeepSeek-V3 about its rule.

plan.py defines the arms. Source: Wang et al. 2024 (arXiv 2408.15664) and, for the claims DV24,
DeepSeek-AI 2024 (arXiv 2412.19437).
"""

from moebench.papers.claim import Claim, Paper
from moebench.verdict.front import Front
from reproductions.loss_free_2024.bias_claims import BIAS
from reproductions.loss_free_2024.leak_claims import LEAKS
from reproductions.loss_free_2024.v3_claims import DEEPSEEK_V3

PAPER = Paper(
    key="loss_free_2024",
    name="loss-free",
    order=1,
    title="Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts",
    authors="Wang, Gao, Zhao, Sun and Dai",
    year=2024,
    arxiv="2408.15664",
    headline="LF24-01",
)
# Arms that are computed, not trained: name -> "module:function", which returns the metrics.
COMPUTED = {
    name: f"reproductions.loss_free_2024.arithmetic:{name}" for name in ("bias_choice", "leak")
}
FRONT = "front"
WEIGHTS = (0.0, 1e-4, 1e-3, 1e-2)  # those of Figure 2; front.yaml has 1e-1 as well
ARMS = tuple(f"{FRONT}/{weight:g}" for weight in WEIGHTS)

TRADE_OFF = [
    Claim(
        key="LF24-02",
        version=2,  # version 1 took 0.1 for the high end, a weight that the paper does not have
        says="A balance loss is a trade-off: as its weight rises from 0 to 0.01, imbalance falls, "
        "and at the high end the language-model loss gets worse",
        source="Section 2.2, Figure 2",
        paper_values={"weights": (0, 0.0001, 0.001, 0.01)},
        matched_on="active_flops",
        test=Front(weighted=ARMS, imbalance="route/max_violation", margin=0.005),
        uncontrolled="for no text is the cost of balance known in advance",
    ),
]
CLAIMS = sorted([*TRADE_OFF, *BIAS, *LEAKS, *DEEPSEEK_V3], key=lambda claim: claim.key)
