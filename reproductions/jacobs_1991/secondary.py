"""What later summaries say of the 1991 paper, and what does not stand in it.

A widely told account gives figures for the vowel task (91.7%, 10 and 6.6 points, 8200 steps), an
extra term in a gradient, and numbers for forgetting. None of these figures is in the paper, so each
is judged as a claim of its own.
"""

from moebench.claims import Claim
from reproductions.jacobs_1991.arms import COMMON

ACCOUNT = "a secondary account of the paper"
RIVALS = (
    ("four_competitive.aligned.0.5", "backprop_6.aligned.0.5"),
    ("four_competitive.aligned.0.5", "four_cooperative.aligned.0.5"),
    ("four_competitive.anti.0.5", "backprop_6.anti.0.5"),
    ("four_competitive.anti.0.5", "four_cooperative.anti.0.5"),
)
GAPS = (0.05, 0.033)  # half of what is claimed: ten points over a net, 6.6 over cooperation

CLAIMS_SECONDARY = [
    Claim(
        key="N1-01",
        says="The competitive mixture is ten points more accurate than a net and 6.6 more than the "
        "cooperative mixture; judged at half of each",
        source=ACCOUNT,
        paper_values={"accuracy": 0.917, "over net": 0.10, "over cooperative": 0.066},
        arms=tuple(arm for pair in RIVALS for arm in pair),
        matched_on="total_params",
        metric="step_12/accuracy/test",
        unit="accuracy",
        direction="higher",
        seeds=25,
        test="two_means",
        level="exact-scale-cpu",
        settings={
            **COMMON,
            "rules": ("best",),
            "quantity": "accuracy/test",
            "by": {pair: GAPS[number % 2] for number, pair in enumerate(RIVALS)},
        },
    ),
    Claim(
        key="N1-01e",
        says="The competitive mixture needs 8200 steps where others need about 15000, a ratio of "
        "0.55; judged at 0.75",
        source=ACCOUNT,
        paper_values={"competitive": 8200, "others": 15000},
        arms=tuple(arm for pair in RIVALS for arm in pair),
        matched_on="total_params",
        metric="step_12/epochs",
        unit="ratio of epochs",
        seeds=25,
        test="fewer_epochs",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": ("best",), "at_most": 0.75},
    ),
    Claim(
        key="N1-02",
        says="The gradient of the competitive error has a further term, 2 sum_j g_j (o_k - y) over "
        "the other experts",
        source=ACCOUNT,
        paper_values={},
        arms=("gradients",),
        matched_on=None,
        metric="further_term/deviation",
        unit="deviation",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={"equals": {"further_term/deviation": 0.0}, "tolerance": 1e-10},
    ),
    Claim(
        key="N1-03",
        says="The cooperative error couples the experts: the gradient of one depends on what the "
        "others answer; the competitive error does not",
        source=ACCOUNT,
        paper_values={},
        arms=("gradients",),
        matched_on=None,
        metric="cooperative/coupling",
        unit="deviation",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={
            "equals": {"competitive/coupling": 0.0},
            "at_least": {"cooperative/coupling": 1e-3},
        },
    ),
    Claim(
        key="N1-04",
        says="Trained on one pair of vowels and then the other, a net forgets more than a "
        "competitive mixture, which stays within 3 points",
        source=ACCOUNT,
        paper_values={"net": 0.15, "mixture": 0.03},
        arms=("interference_competitive", "interference_backprop"),
        matched_on="total_params",
        metric="drop",
        unit="accuracy",
        margin=0.03,
        seeds=25,
        test="lower_and_within",
        level="exact-scale-cpu",
        settings={"within": 0.03},
    ),
    Claim(
        key="N1-05",
        says="For ambiguous vowels the gate mixes several experts, for clear ones it picks one: "
        "its entropy falls with the distance of the answer from the border",
        source=ACCOUNT,
        paper_values={},
        arms=("ambiguity",),
        matched_on=None,
        metric="rank_correlation",
        unit="rank correlation",
        seeds=25,
        test="on_its_side",
        level="exact-scale-cpu",
        settings={"quantity": "rank_correlation", "below": {"ambiguity": 0.0}},
    ),
    Claim(
        key="N1-06",
        says="The likelihood error adapts the best expert fastest while all are poor",
        source=ACCOUNT,
        paper_values={},
        arms=("adaptation",),
        matched_on=None,
        metric="likelihood/best_is_fastest",
        unit="share of draws",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={"equals": {"likelihood/best_is_fastest": 1.0}},
    ),
    Claim(
        key="N1-07",
        says="With constant experts and a constant gate the likelihood error is that of a mixture "
        "of Gaussians with unit variance",
        source=ACCOUNT,
        paper_values={},
        arms=("gaussian_mixture",),
        matched_on=None,
        metric="value/deviation",
        unit="deviation",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={
            "equals": {"value/deviation": 0.0, "gradient/deviation": 0.0},
            "tolerance": 1e-9,
        },
    ),
]
