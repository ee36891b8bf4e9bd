"""Switch Transformers: the paper and its claims, fixed before any run. The arms stand in plan.py.

Losses are in nats per token, lower is better; the paper prints their negatives. Margins are the
smallest effects that would count: 0.01 nats, and 0.005 where the paper's own effect is below 0.01.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961).
"""

from moebench.claims import Claim, Paper
from reproductions.switch_2021.controls import CONTROLS
from reproductions.switch_2021.untested import UNTESTED

PAPER = Paper(
    key="switch_2021",
    name="switch",
    title="Switch Transformers: Scaling to Trillion Parameter Models with Simple and "
    "Efficient Sparsity",
    authors="Fedus, Zoph and Shazeer",
    year=2021,
    arxiv="2101.03961",
)
# Arms that are functions, not trainings: name -> "module:function", which returns the metrics.
COMPUTED = {
    "balance_loss": "reproductions.switch_2021.arithmetic:balance_loss",
    "balance_minimum": "reproductions.switch_2021.arithmetic:balance_minimum",
}
ALPHA = 0.01
SIZES = (2, 8, 64, 256)  # numbers of experts N at which the balance loss is computed
SEARCHED = (2, 4, 8)  # and at which its minimum is searched for
OURS = " (time of this machine, which on CPU differs from an accelerator's)"

TESTED = [
    Claim(
        key="SW21-01",
        says="With scarce room (capacity factor 1.0) one expert a token beats two; "
        "with ample room (2.0) it does not",
        source="Table 1",
        paper_values={"top-1": {"1.0": 1.561, "2.0": 1.554}, "top-2": {"1.0": 1.572, "2.0": 1.547}},
        arms=("switch_cf1.0", "top2_cf1.0", "switch_cf2.0", "top2_cf2.0"),
        matched_on="steps",
        margin=0.005,
        test="interaction",
    ),
    Claim(
        key="SW21-02",
        says="At capacity factor 2.0 two experts a token are slightly better than one",
        source="Table 1",
        paper_values={"top-2": 1.547, "top-1": 1.554},
        arms=("top2_cf2.0", "switch_cf2.0"),
        matched_on="steps",
        margin=0.005,
        test="difference",
    ),
    Claim(
        key="SW21-03",
        says="With equal FLOPs a token and equal steps the sparse model beats the dense one",
        source="Table 1",
        paper_values={"switch_base": 1.553, "t5_base": 1.731, "t5_large": 1.55},
        arms=("switch_cf1.25", "dense"),
        matched_on="active_flops",
        margin=0.01,
        test="difference",
    ),
    Claim(
        key="SW21-03s",
        says="The same with the paper's own model and objective: an encoder-decoder that restores "
        "cut spans",
        source="Table 1",
        paper_values={"switch_base": 1.553, "t5_base": 1.731, "t5_large": 1.55},
        arms=("t5_switch_8", "t5_dense"),
        matched_on="active_flops",
        margin=0.01,
        test="difference",
    ),
    Claim(
        key="SW21-05",
        says="An initial scale ten times smaller gives a better loss early in training, and one "
        "that varies less between seeds",
        source="Table 3",
        paper_values={"0.1": 2.72, "0.1 sd": 0.01, "1.0": 3.6, "1.0 sd": 0.68},
        arms=("switch_cf1.25", "init_1.0"),
        matched_on="active_flops",
        metric="valid/loss@100",
        margin=0.01,
        seeds=10,
        test="spread",
    ),
    Claim(
        key="SW21-07",
        says="The balance loss is alpha when routing is uniform, whatever the number of experts N, "
        "and alpha * N when it has collapsed",
        source="Section 2.2, equations 4 to 6",
        paper_values={"uniform": "alpha", "alpha": ALPHA},
        arms=("balance_loss",),
        matched_on=None,
        metric=f"uniform/value@{SIZES[0]}",
        unit="deviation",
        direction="equal",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={
            "equals": {f"uniform/value@{n}": ALPHA for n in SIZES}
            | {f"uniform/gradient@{n}": 0.0 for n in SIZES}
            | {f"collapsed/value@{n}": ALPHA * n for n in SIZES}
            | {f"collapsed/gradient@{n}": ALPHA * n for n in SIZES}
        },
    ),
    Claim(
        key="SW21-08",
        says="A balance weight of 0.01 balances the experts without disturbing the loss",
        source="Section 2.2",
        paper_values={"alpha": 0.01, "dropped": "<1%"},
        arms=("switch_cf1.25", "alpha_0", "alpha_1e-4", "alpha_1e-3", "alpha_1e-1", "alpha_1"),
        matched_on="active_flops",
        margin=0.01,
        test="interior_optimum",
        settings={"keeps": "route/dropped", "below": 0.01},
    ),
    Claim(
        key="SW21-09",
        says="Under 1% of the tokens are dropped, whatever the number of experts",
        source="Section 2.2",
        paper_values={"dropped": "<1%"},
        arms=("experts_4", "switch_cf1.25", "experts_16", "experts_32", "experts_64"),
        matched_on="active_flops",
        metric="route/dropped",
        unit="share",
        margin=0.005,
        test="flat_share",
        settings={"limit": 0.01, "experts": (4, 8, 16, 32, 64), "factor": 1.25},
    ),
    Claim(
        key="SW21-10",
        says="With equal FLOPs a token more experts learn more per step: fewer steps to the dense "
        "model's final loss",
        source="Section 3.1, Figure 4",
        paper_values={"64 experts, steps ratio": 7.5},
        arms=("dense", "experts_2", "experts_4", "switch_cf1.25", "experts_16", "experts_32"),
        matched_on="active_flops",
        unit="ratio",
        test="steps_to_loss",
        settings={"judged": "experts_16", "at_least": 1.5, "monotone": -0.8},
    ),
    Claim(
        key="SW21-11",
        says="The 64-expert model reaches the dense model's loss in less time" + OURS,
        source="Section 3.2, Figure 5",
        paper_values={"time ratio": 7},
        arms=("dense", "experts_64"),
        matched_on="active_flops",
        unit="ratio",
        test="steps_to_loss",
        level="gpu-preferred",
        settings={"scales": ("seconds",)},
    ),
    Claim(
        key="SW21-12",
        says="The sparse model reaches the loss of a dense one with 3.5 times its FLOPs in fewer "
        "steps and less time" + OURS,
        source="Section 3.3, Figure 6",
        paper_values={"time ratio": 2.5, "FLOPs ratio": 3.5},
        arms=("dense_x3.5", "switch_cf1.25"),
        matched_on="steps",
        unit="ratio",
        test="steps_to_loss",
        settings={"scales": ("steps", "seconds")},
    ),
    Claim(
        key="SW21-13",
        says="Two experts already help, and four and eight help more",
        source="Appendix D, Figure 12",
        paper_values={"order": "dense > 2 > 4 > 8"},
        arms=("dense", "experts_2", "experts_4", "switch_cf1.25"),
        matched_on="active_flops",
        margin=0.01,
        seeds=10,
        test="trend",
        settings={"level": 0.01},
    ),
    Claim(
        key="SW21-14",
        says="Sampling the expert is the worst rule of exploration; input jitter and plain argmax "
        "are about equal",
        source="Appendix C",
        paper_values={"jitter": 1.468, "argmax": 1.471, "dropout": 1.48, "sample": 1.57},
        arms=("explore_sample", "switch_cf1.25", "explore_argmax", "explore_dropout"),
        matched_on="active_flops",
        direction="higher",
        margin=0.01,
        seeds=10,
        test="worst_of",
        settings={"equal": ("switch_cf1.25", "explore_argmax")},
    ),
    Claim(
        key="SW21-15",
        says="Sending overflowing tokens to their next expert brings no gain",
        source="Appendix B",
        paper_values={"gain": "none"},
        arms=("reroute_cf1.0", "switch_cf1.0"),
        matched_on="steps",
        unit="share of the loss",
        direction="equal",
        margin=0.005,
        seeds=10,
        test="equivalence",
        settings={"relative": True},
    ),
    Claim(
        key="SW21-18",
        says="FLOPs can matter more than parameters: few wide experts beat many narrow ones with "
        "4 times their parameters and a quarter of their FLOPs",
        source="Table 9",
        paper_values={"395B": 1.008, "1.6T": 1.043},
        arms=("few_wide", "many_narrow"),
        matched_on="steps",
        margin=0.01,
        test="difference",
    ),
    Claim(
        key="SW21-19",
        says="Experts in attention help, and help more together with those in the feed-forward "
        "blocks; that they diverge in bfloat16 is not judged",
        source="Appendix A",
        paper_values={"feed-forward": 1.548, "attention": 1.524, "both": 1.513},
        arms=("switch_cf1.25", "attention_experts", "both_experts"),
        matched_on="steps",
        direction="higher",
        margin=0.01,
        test="order",
    ),
    Claim(
        key="SW21-20",
        says="Uniform routing minimises the balance loss: no routing has N * sum f_i P_i below 1",
        source="Section 2.2, below equation 6",
        paper_values={"minimum": 1.0},
        arms=("balance_minimum",),
        matched_on=None,
        metric=f"minimum@{SEARCHED[-1]}",
        unit="deviation",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={"at_least": {f"minimum@{n}": 1.0 for n in SEARCHED}},
    ),
]
CLAIMS = sorted([*TESTED, *CONTROLS, *UNTESTED], key=lambda claim: claim.key)
