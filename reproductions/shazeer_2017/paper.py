"""The sparsely-gated layer: the paper and its claims, fixed before any judged run.

Losses are in nats per token, lower is better; the paper prints perplexities, their exponentials.
The arms stand in plan.py. Source: Shazeer et al. 2017 (arXiv 1701.06538).
"""

from typing import Any

from moebench.papers.claim import Claim, Paper
from moebench.verdict.slopes import Slope
from reproductions.shazeer_2017.computed import OF_FUNCTIONS
from reproductions.shazeer_2017.growth import GrowingSlope, MovingMinimum
from reproductions.shazeer_2017.judging import EqualToAll, Rows, WorseThanRest
from reproductions.shazeer_2017.load_claims import GATES, OF_LOADS
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
    "first_step_normal": f"{ARITHMETIC}:first_step_normal",
    "gate_gradient": f"{ARITHMETIC}:gate_gradient",
    "batchwise_mask": f"{ARITHMETIC}:batchwise_mask",
    "batchwise_mask_unlearnt": f"{ARITHMETIC}:batchwise_mask_unlearnt",
    **GATES,
}
# Arm -> weights of importance and load; the rows of Table 6.
BALANCE = {f"balance_{name}": (row["w_importance"], row["w_load"]) for name, row in TABLE_6.items()}
NONE, *SOME = BALANCE
BOTH = "balance_both_0.1"
DOMAINS = {f"{name}_domains": BALANCE[name] for name in (NONE, BOTH)}
RIVALS = ("lstm_4x", "lstm_projected", "moe_1_wide", "moe_1_deep")
MOE_4 = "moe_4"
FLAT = {f"experts_{number}": number for number in (8, 16, 32, 64, 128, 256)}
NULL = {f"one_source_{number}": number for number in (8, 64)}
TO_64 = {MOE_4: 4, **{name: number for name, number in FLAT.items() if number <= 64}}
TO_256 = {MOE_4: 4, **FLAT}
# What 64 experts may gain over 8, three doublings, before it counts: 0.02 nats. For a gain that
# grows with the data, from the first of these steps to the last, which are three doublings, too.
COUNTS = 0.02
DATA = (500, 1000, 2000, 4000)
MARGIN_AFTER = "the margin was set after these runs"
TRAINED: dict[str, Any] = {"matched_on": "active_flops"}

OF_RUNS = [
    Claim(
        key="S17-01",
        version=2,  # judged in both worlds, and the others' means are compared, not single seeds
        says="Without either balance loss quality is clearly worse; with any mix of the two it is "
        "the same",
        source="Appendix A, Table 6",
        paper_values={"none": 39.8, "any": (35.6, 35.7, 35.6, 35.7, 35.7)},
        test=WorseThanRest(
            worlds={
                "a world of facts": Rows(worse=NONE, others=tuple(SOME)),
                "a world of sixteen domains": Rows(
                    worse=f"{NONE}_domains", others=(f"{BOTH}_domains",)
                ),
            },
            margin=0.01,
            share=1 / 3,
        ),
        same_data=((NONE, *SOME), tuple(DOMAINS)),
        uncontrolled="Of no world is it known beforehand what the losses do for quality; the one "
        "where trials had shown nothing is judged beside the other.",
        **TRAINED,
    ),
    Claim(
        key="S17-06",
        version=3,  # each size has to gain: a line falls even if all comes from the first sizes
        says="At equal operations a token, more experts mean a lower loss",
        source="Table 7, Figure 2 left",
        paper_values={name: TABLE_7[name] for name in ("MoE-4", "MoE-32", "MoE-256")},
        test=Slope(sizes=TO_64, margin=COUNTS / 3),
        uncontrolled="No positive control: its own world is the one made for experts to gain in, "
        "and in no other is a gain known beforehand.",
        caution=MARGIN_AFTER,
        **TRAINED,
    ),
    Claim(
        key="S17-06n",
        version=2,  # judged by the test of its claim
        says="Null control: in a world of one small source more experts bring nothing",
        source="none; a control of S17-06",
        paper_values={},
        test=Slope(sizes=NULL, margin=COUNTS / 3),
        control_of="S17-06",
        expects="no effect",
        **TRAINED,
    ),
    Claim(
        key="S17-07",
        version=2,  # judged against all four dense models, not one of them
        says="The model whose four experts are always on is as good as dense ones of equal cost",
        source="Section 5.1, Table 7",
        paper_values={name: TABLE_7[name] for name in list(TABLE_7)[:5]},
        test=EqualToAll(arm=MOE_4, rivals=RIVALS, margin=0.01),
        uncontrolled="No two models of different kinds are known to be equal, or to be unequal.",
        **TRAINED,
    ),
    Claim(
        key="S17-10",
        says="With more and more experts the gains end and reverse, the later the more data",
        source="Section 5.2, Table 8, Figure 3",
        paper_values={name: full for name, (_, full) in TABLE_8.items()},
        test=MovingMinimum(sizes=TO_256, steps=(400, 1600), margin=0.005),
        uncontrolled="Of no world is the best number of experts known beforehand, and the null "
        "world has models of two sizes, between which none lies.",
        **TRAINED,
    ),
    Claim(
        key="S17-11",
        version=2,  # has a margin: without one, what many experts lose at first passes for a gain
        says="More data make extra capacity more useful",
        source="Section 5.2",
        paper_values={name: TABLE_8[name] for name in ("4xLSTM-512", "MoE-4096-h")},
        test=GrowingSlope(sizes=TO_256, steps=DATA, margin=COUNTS / 9),
        uncontrolled="No positive control: of no world is it known beforehand how a gain grows "
        "with the data.",
        caution=MARGIN_AFTER,
        **TRAINED,
    ),
    Claim(
        key="S17-11n",
        late=True,
        says="Null control: in a world of one small source more data do not make extra capacity "
        "more useful",
        source="none; a control of S17-11",
        paper_values={},
        test=GrowingSlope(sizes=NULL, steps=DATA, margin=COUNTS / 9),
        control_of="S17-11",
        expects="no effect",
        **TRAINED,
    ),
]
CLAIMS = sorted([*OF_RUNS, *OF_LOADS, *OF_FUNCTIONS, *UNTESTED], key=lambda claim: claim.key)
