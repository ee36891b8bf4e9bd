"""What an account says of gates that learn through a choice, and their controls.

All are measured on the layer of gate_estimators.py, where the exact gradient of the expected loss
is known.
"""

from math import log
from typing import Any

from moebench.papers.claim import Claim
from moebench.verdict.comparisons import Difference
from moebench.verdict.exact import Exact
from reproductions.source_notes.judging import HigherUnderChoices

SEEDS = 8
CHECKPOINTS = (0, 25, 50, 100)  # steps of the layer that the exact gradient trains
# Arms, in the order of tables and figures -> what they are called there.
ESTIMATORS = {
    "exact": "expected loss, enumerated",
    "exact_doubled": "twice the expected loss",
    "top_1": "top-1, normalised",
    "softmax_weight": "softmax weight",
    "straight_through": "straight-through",
    "straight_through_sampled": "straight-through, drawn",
    "gumbel": "Gumbel-softmax",
    "gumbel_falling": "Gumbel-softmax, cooling",
    "gumbel_hot": "Gumbel-softmax at 10",
    "gumbel_hard": "Gumbel, straight-through",
    "reinforce": "REINFORCE",
    "reinforce_no_baseline": "REINFORCE, no baseline",
    "reinforce_first_order": "REINFORCE, first order",
}
COMPUTED = {f"gate_{name}": f"reproductions.source_notes.gates:{name}" for name in ESTIMATORS}
EXACT, SOFT, REINFORCE = "gate_exact", "gate_softmax_weight", "gate_reinforce"
DRAWN = "gate_straight_through_sampled"
MOST_PROBABLE = {"most probable expert": "gate_straight_through"}
STRAIGHT = {**MOST_PROBABLE, "drawn expert, all answer": DRAWN}
GUMBEL = {"temperature 1": "gate_gumbel", "temperature 1 to 1/2": "gate_gumbel_falling"}
HARD = {
    name: f"gate_{key}"
    for key, name in ESTIMATORS.items()
    if not key.startswith(("exact", "top", "softmax")) and key != "gumbel_hot"
}
ACCOUNT = "a secondary account of why gates are hard to train"
OF_LAYER: dict[str, Any] = {
    "paper_values": {},
    "matched_on": None,
    "level": "mechanism-cpu",
    "seeds": SEEDS,
}
OURS: dict[str, Any] = {**OF_LAYER, "source": "none; an addition to N5-01", "ours": True}
CONTROL: dict[str, Any] = {**OF_LAYER, "source": "none"}
# An error of half the length of the gradient: it can turn a step by 30 degrees. Squared, as lengths
# are, because only squares can be estimated without a bias of their own.
BIAS: dict[str, Any] = {
    "metric": "bias",
    "unit": "squared length of the exact gradient",
    "margin": 0.5**2,
}
# As much as the gradient itself is long: below that, a single draw points more forward than astray.
VARIANCE: dict[str, Any] = {**BIAS, "metric": "variance", "margin": 1.0}
# What this project calls a difference in cost, 5%, for a loss too.
FIVE_PERCENT = log(1.05)
GAP: dict[str, Any] = {"metric": "gap", "unit": "log of the ratio", "margin": FIVE_PERCENT}
WAYS = "one learning rate and one kind of world"

CLAIMS_GATES = [
    Claim(
        key="N5-01",
        says="A hard choice of the best expert by itself passes no gradient on to the router",
        source=ACCOUNT,
        test=Exact(arm="gate_top_1", equals={"largest gradient": 0.0}, unit="largest gradient"),
        caution="of one choice whose weight is normalised over the choice; see S17-14s for others",
        **{**OF_LAYER, "seeds": 1},
    ),
    Claim(
        key="N5-01n",
        says="A choice weighted by its softmax passes no gradient on to the router",
        test=Exact(arm=SOFT, equals={"largest gradient": 0.0}, unit="largest gradient"),
        control_of="N5-01",
        expects="no effect",
        **{**CONTROL, "seeds": 1},
    ),
    Claim(
        key="N5-01b",
        says="Straight-through estimates of the router's gradient are biased, by half its length "
        "or more",
        source=ACCOUNT,
        test=HigherUnderChoices(under=STRAIGHT, second=EXACT, **BIAS),
        caution="the account does not say how biased; half the length is our choice",
        **OF_LAYER,
    ),
    Claim(
        key="N5-01bp",
        says="Twice the exact gradient is biased, by half its length or more",
        test=HigherUnderChoices(under={"enumerated": "gate_exact_doubled"}, second=EXACT, **BIAS),
        control_of="N5-01b",
        expects="effect",
        **CONTROL,
    ),
    Claim(
        key="N5-01bn",
        says="REINFORCE, which has no bias by its construction, is biased, by half the length of "
        "the gradient or more",
        test=HigherUnderChoices(under={"with a baseline": REINFORCE}, second=EXACT, **BIAS),
        control_of="N5-01b",
        expects="no effect",
        **CONTROL,
    ),
    Claim(
        key="N5-01u",
        says="Straight-through training is unstable: the loss it reaches is farther from its "
        "median over the seeds than with softmax weights, by 5% of the loss or more",
        source=ACCOUNT,
        test=HigherUnderChoices(
            under=STRAIGHT,
            second=SOFT,
            metric="off the median",
            unit="share of the median loss",
            margin=0.05,
        ),
        caution=f"the account does not say what is unstable; {WAYS}",
        **OF_LAYER,
    ),
    Claim(
        key="N5-01un",
        says="The enumerated gradient is unstable in the same sense",
        test=HigherUnderChoices(
            under={"twice the gradient": "gate_exact_doubled"},  # to Adam the same as once
            second=EXACT,
            metric="off the median",
            unit="share of the median loss",
            margin=0.05,
        ),
        control_of="N5-01u",
        expects="no effect",
        **CONTROL,
    ),
    Claim(
        key="N5-01g",
        says="A Gumbel-softmax is used otherwise than it is trained, and loses by it: the loss in "
        "use is 5% or more above that in training",
        source=ACCOUNT,
        test=HigherUnderChoices(under=GUMBEL, second=SOFT, **GAP),
        caution=f"the account names no temperature; with softmax weights both are the same; {WAYS}",
        **OF_LAYER,
    ),
    Claim(
        key="N5-01gp",
        says="Trained at a temperature of 10, where all weights are nearly equal, a layer that "
        "uses one expert loses by it",
        test=HigherUnderChoices(under={"temperature 10": "gate_gumbel_hot"}, second=SOFT, **GAP),
        control_of="N5-01g",
        expects="effect",
        **CONTROL,
    ),
    Claim(
        key="N5-01gn",
        says="A straight-through layer, which does the same in training and in use, loses by the "
        "difference",
        test=HigherUnderChoices(under=MOST_PROBABLE, second=SOFT, **GAP),
        control_of="N5-01g",
        expects="no effect",
        **CONTROL,
    ),
    Claim(
        key="N5-01v",
        says="The price of no bias: REINFORCE varies more than straight-through estimates with a "
        "drawn expert, by the length of the gradient or more",
        test=Difference(first=REINFORCE, second=DRAWN, direction="higher", **VARIANCE),
        **OURS,
    ),
    Claim(
        key="N5-01w",
        says="A baseline lowers the variance of REINFORCE, by the length of the gradient or more",
        test=Difference(first=REINFORCE, second="gate_reinforce_no_baseline", **VARIANCE),
        **OURS,
    ),
    Claim(
        key="N5-01l",
        says="For equal FLOPs all estimators for a hard choice reach a loss 5% or more above that "
        "of softmax weights",
        test=HigherUnderChoices(
            under=HARD,
            second=SOFT,
            metric="log loss",
            unit="log of the ratio",
            margin=FIVE_PERCENT,
        ),
        caution=WAYS,
        **OURS,
    ),
]
