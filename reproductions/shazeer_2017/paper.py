"""The sparsely-gated layer: the paper and its claims, fixed before any judged run.

Losses are in nats per token, lower is better; the paper prints perplexities, their exponentials.
The arms stand in plan.py. Source: Shazeer et al. 2017 (arXiv 1701.06538).
"""

from typing import Any

from moebench.claims import Claim, Paper
from reproductions.shazeer_2017.published import TABLE_6, TABLE_7, TABLE_8
from reproductions.shazeer_2017.untested import UNTESTED

PAPER = Paper(
    key="shazeer_2017",
    name="shazeer",
    title="Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer",
    authors="Shazeer, Mirhoseini, Maziarz, Davis, Le, Hinton and Dean",
    year=2017,
    arxiv="1701.06538",
)
ARITHMETIC = "reproductions.shazeer_2017.arithmetic"
# Arms that are functions, not trainings: name -> "module:function", which returns the metrics.
COMPUTED = {
    "published": f"{ARITHMETIC}:published",
    "load_estimator": f"{ARITHMETIC}:load_estimator",
    "first_step": f"{ARITHMETIC}:first_step",
    "gate_gradient": f"{ARITHMETIC}:gate_gradient",
    "batchwise_mask": f"{ARITHMETIC}:batchwise_mask",
}
# Arm -> weights of importance and load; the rows of Table 6.
BALANCE = {f"balance_{name}": (row["w_importance"], row["w_load"]) for name, row in TABLE_6.items()}
NONE, *SOME = BALANCE
RIVALS = ("lstm_4x", "lstm_projected", "moe_1_wide", "moe_1_deep")
MOE_4 = "moe_4"
FLAT = {f"experts_{number}": number for number in (8, 16, 32, 64, 128, 256)}
NULL = {f"one_source_{number}": number for number in (8, 64)}
TO_64 = {MOE_4: 4, **{name: number for name, number in FLAT.items() if number <= 64}}
TO_256 = {MOE_4: 4, **FLAT}
WITH_LOAD = [name for name in BALANCE if name != "balance_importance_0.2"]
EXACT: dict[str, Any] = {"matched_on": None, "seeds": 1, "test": "exact", "direction": "equal"}

TESTED = [
    Claim(
        key="S17-01",
        says="Without either balance loss quality is clearly worse; with any mix of the two it is "
        "the same",
        source="Appendix A, Table 6",
        paper_values={"none": 39.8, "any": (35.6, 35.7, 35.6, 35.7, 35.7)},
        arms=(NONE, *SOME),
        matched_on="active_flops",
        direction="higher",
        margin=0.01,
        test="worse_than_rest",
        settings={"share": 1 / 3},
    ),
    Claim(
        key="S17-02",
        says="Unregularised gates collapse: a few experts take nearly all the load",
        source="Appendix A, Table 6",
        paper_values={"CV none": 3.01, "CV 0.1/0.1": 0.05, "max/mean": (17.8, 1.14)},
        arms=(NONE, "balance_both_0.1"),
        matched_on="active_flops",
        metric="route/cv",
        unit="ratio of CVs",
        direction="higher",
        test="times_as_large",
        settings={"at_least": 5.0, "refuted_below": 2.0, "noted": ("route/max_over_mean",)},
    ),
    Claim(
        key="S17-03",
        says="A higher weight of the load loss lowers the load of the busiest expert",
        source="Appendix A, Table 6",
        paper_values={"0": 17.8, "0.01": 1.37, "0.1": 1.14, "0.2": 1.15, "1": 1.07},
        arms=tuple(WITH_LOAD),
        matched_on="active_flops",
        metric="route/max_over_mean",
        unit="rank correlation",
        test="rank_correlation",
        settings={
            "values": tuple(BALANCE[name][1] for name in WITH_LOAD),
            "at_most": -0.8,
            "refuted_above": -0.4,
        },
    ),
    Claim(
        key="S17-04",
        says="The smooth load estimator is the chance that an expert stays in the top k when only "
        "its own noise is drawn again",
        source="Appendix A, equations 8 to 10",
        paper_values={"formula": "Phi((clean - kth of the others) / softplus(noise))"},
        arms=("load_estimator",),
        metric="largest gap",
        unit="probability",
        level="arithmetic",
        settings={"equals": {"largest gap": 0.0}, "tolerance": 0.01},
        **EXACT,
    ),
    Claim(
        key="S17-05",
        says="Starting both gate matrices at zero gives near-equal load at the first step",
        source="Appendix A",
        paper_values={"W_g": 0, "W_noise": 0},
        arms=("first_step",),
        metric="zero/beyond 2 standard errors",
        unit="standard errors",
        level="mechanism-cpu",
        settings={
            "equals": {"zero/beyond 2 standard errors": 0.0},
            "at_least": {"normal/beyond 2 standard errors": 1.0},
        },
        **EXACT,
    ),
    Claim(
        key="S17-06",
        says="At equal operations a token, more experts mean a lower loss",
        source="Table 7, Figure 2 left",
        paper_values={name: TABLE_7[name] for name in ("MoE-4", "MoE-32", "MoE-256")},
        arms=tuple(TO_64),
        matched_on="active_flops",
        unit="nats a doubling",
        test="slope",
        settings={"sizes": tuple(TO_64.values())},
    ),
    Claim(
        key="S17-06n",
        says="Null control: in a world of one small source more experts bring nothing",
        source="none; a control of S17-06",
        paper_values={},
        arms=("one_source_64", "one_source_8"),
        matched_on="active_flops",
        direction="equal",
        margin=0.02,
        test="equivalence",
    ),
    Claim(
        key="S17-07",
        says="The model whose four experts are always on is as good as a dense one of equal cost",
        source="Table 7",
        paper_values={name: TABLE_7[name] for name in list(TABLE_7)[:5]},
        arms=("moe_4", "moe_1_wide"),
        matched_on="active_flops",
        unit="share of the loss",
        direction="equal",
        margin=0.01,
        test="equivalence",
        settings={"relative": True},
    ),
    Claim(
        key="S17-08",
        says="The largest model of low cost is 24% below the matched baseline in perplexity",
        source="Section 5.1",
        paper_values={"claimed": 24, "MoE-4": 45.0, "MoE-4096-h": 34.1},
        arms=("published",),
        metric="low cost, % lower",
        unit="points",
        level="arithmetic",
        settings={"equals": {"low cost, % lower": 24.0}, "tolerance": 0.5},
        **EXACT,
    ),
    Claim(
        key="S17-09",
        says="The model of highest cost is 18% below the best published one after 10 epochs",
        source="Appendix C.2",
        paper_values={"claimed": 18, "MoE-143M": 28.0, "best published": 34.7},
        arms=("published",),
        metric="high cost, % lower",
        unit="points",
        level="arithmetic",
        settings={"equals": {"high cost, % lower": 18.0}, "tolerance": 0.5},
        **EXACT,
    ),
    Claim(
        key="S17-10",
        says="With more and more experts the gains end and reverse, the later the more data",
        source="Section 5.2, Table 8, Figure 3",
        paper_values={name: full for name, (_, full) in TABLE_8.items()},
        arms=tuple(TO_256),
        matched_on="active_flops",
        margin=0.005,
        test="moving_minimum",
        settings={"sizes": tuple(TO_256.values()), "steps": (400, 1600)},
    ),
    Claim(
        key="S17-11",
        says="More data make extra capacity more useful",
        source="Section 5.2",
        paper_values={name: TABLE_8[name] for name in ("4xLSTM-512", "MoE-4096-h")},
        arms=tuple(TO_256),
        matched_on="active_flops",
        unit="nats a doubling of both",
        test="growing_slope",
        settings={"sizes": tuple(TO_256.values()), "steps": (500, 1000, 2000, 4000)},
    ),
    Claim(
        key="S17-14",
        says="With the softmax after the choice a single active expert gives the gate no gradient "
        "from the task; with the softmax before it one does",
        source="Section 2.1",
        paper_values={"k": "> 1"},
        arms=("gate_gradient",),
        metric="after the choice",
        unit="norm of the gradient",
        level="mechanism-cpu",
        settings={"equals": {"after the choice": 0.0}, "at_least": {"before the choice": 1e-3}},
        **EXACT,
    ),
    Claim(
        key="S17-15",
        says="Batch-wise masks give every expert exactly as many cases, and learnt thresholds come "
        "to agree with them",
        source="Appendix F",
        paper_values={"m": "k|X|/n"},
        arms=("batchwise_mask",),
        metric="variance of the load",
        unit="tokens squared",
        level="mechanism-cpu",
        settings={
            "equals": {"variance of the load": 0.0},
            "at_least": {"disagreement, first over last": 2.0},
        },
        **EXACT,
    ),
]
CLAIMS = sorted([*TESTED, *UNTESTED], key=lambda claim: claim.key)
