"""Adaptive mixtures of local experts: the paper and its claims, fixed before any run is judged.

Names of arms are `<system>.<coding>.<range of initial weights>`, then `.file` or `.order_<n>` where
the speakers come in another order than the one drawn with seed 1. The arms stand in plan.py. Each
run has a grid of step sizes and 25 judged seeds; three more choose a system's own best step. A
claim whose comparison hangs on what the paper leaves out is judged under every choice.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, Neural Computation 3, 79-87.
"""

from moebench.claims import Claim, Paper
from reproductions.jacobs_1991.hierarchical_claims import CLAIMS_1994
from reproductions.jacobs_1991.secondary import CLAIMS_SECONDARY

PAPER = Paper(
    key="jacobs_1991",
    title="Adaptive Mixtures of Local Experts",
    authors="Jacobs, Jordan, Nowlan and Hinton",
    year=1991,
    arxiv="",
)
GRID = (2.0, 3.0, 5.0, 8.0, 12.0, 18.0, 27.0, 40.0)
TRIALS = 3  # seeds that choose the step
# The step at which all are compared alike: the largest of the grid at which every system met the
# criterion in every trial (seeds 0 to 2, which no verdict uses), in both codings.
SAME = 12.0
CODINGS, RANGES = ("aligned", "anti"), (0.5, 0.1, 1.0)
TABLE_1 = ("four_experts", "eight_experts", "backprop_6", "backprop_12")
RIVALS = (("four_experts", "backprop_6"), ("eight_experts", "backprop_12"))
DRAWN = 1  # seed of the order of speakers, where the order is not the question
ORDERS = 20  # further random orders, beside that of the file
COMMON = {"grid": GRID, "trials": TRIALS}
EPOCHS = {"four experts": 1124, "eight experts": 1083, "6 hidden": 2209, "12 hidden": 2435}


def arm(system: str, coding: str = "aligned", spread: float = 0.5, order: str = "") -> str:
    """Return the name of an arm."""
    return ".".join([system, coding, f"{spread:g}", *([order] if order else [])])


def pairs(*systems: tuple[str, str], ranges: tuple[float, ...] = (0.5,)) -> tuple[str, ...]:
    """Return both arms of every pair of systems, for each range and coding."""
    return tuple(
        arm(system, coding, spread)
        for spread in ranges
        for coding in CODINGS
        for pair in systems
        for system in pair
    )


CLAIMS_1991 = [
    Claim(
        key="J91-01",
        says="Mixtures need about half the epochs that back-propagation nets of similar size need "
        "to reach the criterion",
        source="Table 1",
        paper_values=EPOCHS,
        arms=pairs(*RIVALS, ranges=RANGES),
        matched_on="total_params",
        metric=f"step_{SAME:g}/epochs",
        unit="ratio of epochs",
        seeds=25,
        test="fewer_epochs",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": ("best", SAME), "at_most": 0.75, "level": 0.001},
    ),
    Claim(
        key="J91-02",
        says="All four systems end at the same accuracy",
        source="Table 1",
        paper_values={"train": 0.88, "test": 0.90},
        arms=tuple(arm(system, coding) for coding in CODINGS for system in TABLE_1),
        matched_on="total_params",
        metric=f"step_{SAME:g}/accuracy/test",
        unit="accuracy",
        direction="equal",
        margin=0.03,
        seeds=25,
        test="same_accuracy",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": (SAME,), "group": 4, "between": (0.85, 0.95)},
    ),
    Claim(
        key="J91-03",
        says="The epochs of mixtures vary less between runs than those of back-propagation nets",
        source="Table 1",
        paper_values={"four experts": 23, "eight experts": 12, "6 hidden": 83, "12 hidden": 124},
        arms=pairs(*RIVALS),
        matched_on="total_params",
        metric=f"step_{SAME:g}/epochs",
        unit="ratio of variances",
        seeds=25,
        test="steadier",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": (SAME, "best"), "level": 0.01},
    ),
    Claim(
        key="J91-04",
        says="Eight experts converge a little sooner than four",
        source="text under Table 1",
        paper_values={"eight experts": 1083, "four experts": 1124},
        arms=pairs(("eight_experts", "four_experts")),
        matched_on=None,
        metric=f"step_{SAME:g}/epochs",
        unit="ratio of epochs",
        seeds=25,
        test="fewer_epochs",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": (SAME, "best")},
    ),
    Claim(
        key="J91-05",
        says="The bigger back-propagation net needs more epochs than the smaller",
        source="text under Table 1",
        paper_values={"12 hidden": 2435, "6 hidden": 2209},
        arms=pairs(("backprop_6", "backprop_12"), ranges=RANGES),
        matched_on=None,
        metric=f"step_{SAME:g}/epochs",
        unit="ratio of epochs",
        seeds=25,
        test="fewer_epochs",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": (SAME,)},
    ),
    Claim(
        key="J91-06",
        says="In every run only two or three experts are used for any case",
        source="end of section 3",
        paper_values={"experts in use": (2, 3)},
        arms=tuple(arm(f"{n}_experts", coding) for n in ("four", "eight") for coding in CODINGS),
        matched_on=None,
        metric=f"step_{SAME:g}/active",
        unit="share of runs",
        seeds=25,
        test="share_of_runs",
        level="exact-scale-cpu",
        settings={
            **COMMON,
            "rules": (SAME, "best"),
            "quantity": "active",
            "between": (2, 3),
            "share": 0.96,
        },
    ),
    Claim(
        key="J91-07",
        says="Experts first move together to one compromise, and separate when the gate breaks the "
        "symmetry",
        source="section 3, Figure 3",
        paper_values={},
        arms=("separation_eight", "separation_four"),
        matched_on=None,
        metric="lead",
        unit="share of runs",
        seeds=25,
        test="share_of_runs",
        level="exact-scale-cpu",
        settings={"quantity": "lead", "between": (1.0, float("inf")), "share": 0.9},
    ),
    Claim(
        key="J91-08",
        says="One expert alone cannot do the task",
        source="section 3",
        paper_values={},
        arms=(arm("one_expert"), arm("four_experts")),
        matched_on=None,
        metric=f"step_{SAME:g}/accuracy/train",
        unit="accuracy",
        seeds=25,
        test="on_its_side",
        level="exact-scale-cpu",
        settings={
            **COMMON,
            "rules": (SAME,),
            "quantity": "accuracy/train",
            "below": {arm("one_expert"): 0.75, arm("one_expert", "anti"): 0.75},
            "above": {arm("four_experts"): 0.85, arm("four_experts", "anti"): 0.85},
        },
    ),
    Claim(
        key="J91-09",
        says="While all experts are poor, the competitive error (1.2) adapts the best one slowest "
        "and the likelihood error (1.3) adapts it fastest",
        source="section 1, below equations 1.2 and 1.3",
        paper_values={},
        arms=("adaptation",),
        matched_on=None,
        metric="likelihood/best_is_fastest",
        unit="share of draws",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={
            "equals": {"competitive/best_is_slowest": 1.0, "likelihood/best_is_fastest": 1.0}
        },
    ),
    Claim(
        key="J91-10",
        says="The likelihood error (1.3) performs better than the competitive error (1.2)",
        source="section 1",
        paper_values={},
        arms=pairs(("four_experts", "four_competitive")),
        matched_on="total_params",
        metric=f"step_{SAME:g}/epochs",
        unit="ratio of epochs",
        seeds=25,
        test="fewer_epochs",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": ("best",)},
    ),
    Claim(
        key="J91-11",
        says="The cooperative error (1.1) leaves more experts in use for each case than the "
        "likelihood error; that it couples them is judged as N1-03",
        source="section 1",
        paper_values={},
        arms=pairs(("four_cooperative", "four_experts")),
        matched_on="total_params",
        metric=f"step_{SAME:g}/effective",
        unit="experts a case",
        direction="higher",
        seeds=25,
        test="two_means",
        level="exact-scale-cpu",
        settings={**COMMON, "rules": ("best",), "quantity": "effective"},
    ),
    Claim(
        key="J91-12",
        says="The gradient of the competitive error by an expert's output is -2 p_i (d - o_i)",
        source="section 1, below equation 1.2",
        paper_values={"gradient": "-2 p_i (d - o_i)"},
        arms=("gradients",),
        matched_on=None,
        metric="competitive/deviation",
        unit="deviation",
        seeds=1,
        test="exact",
        level="arithmetic",
        settings={"equals": {"competitive/deviation": 0.0}, "tolerance": 1e-10},
    ),
    Claim(
        key="J91-13",
        says="The test speakers are easier than the training speakers",
        source="Table 1",
        paper_values={"train": 0.88, "test": 0.90},
        arms=tuple(
            arm(system, "aligned", order=order)
            for order in ("file", *(f"order_{n}" for n in range(DRAWN + 1, DRAWN + 1 + ORDERS)))
            for system in ("four_experts", "backprop_6")
        ),
        matched_on=None,
        metric=f"step_{SAME:g}/accuracy/test",
        unit="accuracy",
        direction="higher",
        seeds=25,
        test="within_runs",
        level="exact-scale-cpu",
        settings={
            **COMMON,
            "rules": (SAME,),
            "above": "accuracy/test",
            "below": "accuracy/train",
            "first": 2,
        },
    ),
]
CLAIMS = [*CLAIMS_1991, *CLAIMS_1994, *CLAIMS_SECONDARY]
