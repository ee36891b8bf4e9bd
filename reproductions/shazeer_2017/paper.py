"""The sparsely-gated layer: the paper and its claims.

Losses are in nats per token; lower is better. The paper gives perplexities, their exponentials.
plan.py defines the arms. Source: Shazeer et al. 2017 (arXiv 1701.06538).
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
    headline="S17-06",
)
ARITHMETIC = "reproductions.shazeer_2017.arithmetic"
# Arms that are computed, not trained: name -> "module:function", which returns the metrics.
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
# The smallest gain of 64 experts over 8 (three doublings) that counts: 0.02 nats. Also for a gain
# that grows with the data, from the first to the last of these steps (three doublings as well).
COUNTS = 0.02
DATA = (500, 1000, 2000, 4000)
MARGIN_AFTER = "the margin was set after these runs"
TRAINED: dict[str, Any] = {"matched_on": "active_flops"}

OF_RUNS = [
    Claim(
        key="S17-01",
        version=2,  # judged in both worlds, and means of the others are compared, not single seeds
        says="Without either balance loss, quality is clearly worse; with any combination of the "
        "two it is the same",
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
        uncontrolled="for no world is the effect of the losses on quality known in advance; the "
        "world where trials had shown no effect is judged as well",
        **TRAINED,
    ),
    Claim(
        key="S17-06",
        version=3,  # each size must improve: a line falls even if only the first sizes do
        says="With equal operations per token, more experts give a lower loss",
        source="Table 7, Figure 2 left",
        paper_values={name: TABLE_7[name] for name in ("MoE-4", "MoE-32", "MoE-256")},
        test=Slope(sizes=TO_64, margin=COUNTS / 3),
        uncontrolled="its own world is the one designed for experts to gain in, and in no other "
        "is a gain known in advance",
        caution=MARGIN_AFTER,
        **TRAINED,
    ),
    Claim(
        key="S17-06n",
        version=2,  # judged by the test of its claim
        says="Null control: in a world with one small source, more experts do not lower the loss",
        source="none; a control of S17-06",
        paper_values={},
        test=Slope(sizes=NULL, margin=COUNTS / 3),
        control_of="S17-06",
        expects="no effect",
        **TRAINED,
    ),
    Claim(
        key="S17-07",
        version=2,  # compared with all four dense models, not just one
        says="The model with four experts, all always active, is as good as dense models of equal "
        "cost",
        source="Section 5.1, Table 7",
        paper_values={name: TABLE_7[name] for name in list(TABLE_7)[:5]},
        test=EqualToAll(arm=MOE_4, rivals=RIVALS, margin=0.01),
        uncontrolled="no two models of different kinds are known to be equal or unequal",
        **TRAINED,
    ),
    Claim(
        key="S17-10",
        says="As the number of experts grows, the gains end and reverse, later with more data",
        source="Section 5.2, Table 8, Figure 3",
        paper_values={name: full for name, (_, full) in TABLE_8.items()},
        test=MovingMinimum(sizes=TO_256, steps=(400, 1600), margin=0.005),
        uncontrolled="for no world is the best number of experts known in advance, and the null "
        "world has models of only two sizes, with none in between",
        **TRAINED,
    ),
    Claim(
        key="S17-11",
        version=2,  # has a margin: without one, the initial lag of many experts passes for a gain
        says="More data make extra capacity more useful",
        source="Section 5.2",
        paper_values={name: TABLE_8[name] for name in ("4xLSTM-512", "MoE-4096-h")},
        test=GrowingSlope(sizes=TO_256, steps=DATA, margin=COUNTS / 9),
        uncontrolled="for no world is it known in advance how a gain grows with the data",
        caution=MARGIN_AFTER,
        **TRAINED,
    ),
    Claim(
        key="S17-11n",
        late=True,
        says="Null control: in a world with one small source, more data do not make extra capacity "
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
