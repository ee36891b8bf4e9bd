"""The runs behind the claims of paper.py: systems, codings, ranges of weights, orders of speakers.

One run trains all seeds and step sizes of an arm side by side.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Arm, Plan, Profile
from reproductions.jacobs_1991.arms import (
    CODINGS,
    DRAWN,
    ORDERS,
    RANGES,
    SAME,
    SIGHTED,
    TABLE_1,
    TRIALS,
    arm,
)

CODING = "data.init_args.coding"
ORDER = "data.init_args.order"
SPREAD = "model.init_args.initial_range"
SEEDS = "model.init_args.seeds"
STEPS = "model.init_args.step_sizes"
OTHERS = ("one_expert", "four_competitive", "four_cooperative")


def _arm(system: str, coding: str, spread: float, order: str = "", **settings: object) -> Arm:
    """Return an arm; order is "" (the drawn one), "file" or "order_<n>"."""
    speakers = order if order == "file" else int(order.removeprefix("order_") or DRAWN)
    more = {CODING: coding, SPREAD: spread, ORDER: speakers, **settings}
    return Arm(arm(system, coding, spread, order), [f"{system}.yaml"], more)


MAIN = [_arm(system, coding, 0.5) for coding in CODINGS for system in TABLE_1]
WEIGHTS = [
    _arm(system, coding, spread)
    for spread in RANGES[1:]
    for coding in CODINGS
    for system in TABLE_1
]
ERRORS = [_arm(system, coding, 0.5) for coding in CODINGS for system in OTHERS]
FOUR_OUTPUTS = [_arm(system, "one_hot", 0.5) for system in TABLE_1]
IN_FILE_ORDER = [_arm(system, "aligned", 0.5, "file") for system in TABLE_1]
SHUFFLED = [
    _arm(system, "aligned", 0.5, f"order_{number}", **{STEPS: [SAME], SEEDS: 8})
    for number in range(DRAWN + 1, DRAWN + 1 + ORDERS)
    for system in SIGHTED
]
ARMS = [*MAIN, *ERRORS, *WEIGHTS, *FOUR_OUTPUTS, *IN_FILE_ORDER, *SHUFFLED]
COMPUTED = {
    "adaptation": "reproductions.jacobs_1991.arithmetic:adaptation",
    "gradients": "reproductions.jacobs_1991.arithmetic:gradients",
    "gaussian_mixture": "reproductions.jacobs_1991.arithmetic:gaussian_mixture",
    "separation_eight": "reproductions.jacobs_1991.mechanisms:separation_of_eight",
    "separation_four": "reproductions.jacobs_1991.mechanisms:separation_of_four",
    "ambiguity": "reproductions.jacobs_1991.mechanisms:ambiguity",
    "interference_backprop": "reproductions.jacobs_1991.interference:backprop",
    "interference_cooperative": "reproductions.jacobs_1991.interference:cooperative",
    "interference_competitive": "reproductions.jacobs_1991.interference:competitive",
    "interference_likelihood": "reproductions.jacobs_1991.interference:likelihood",
    "replayed_backprop": "reproductions.jacobs_1991.interference:backprop_replayed",
    "replayed_competitive": "reproductions.jacobs_1991.interference:competitive_replayed",
}
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[arm("four_experts"), arm("backprop_6")],
            seeds=1,
            settings={SEEDS: 2, "model.init_args.max_epochs": 100},
            computed=["gradients"],
        ),
        Profile(
            "quick",  # without four outputs, which take long and judge no claim
            arms=[one.name for one in ARMS if one not in FOUR_OUTPUTS],
            seeds=1,
            settings={},
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "full",
            arms=[one.name for one in ARMS],
            seeds=1,
            settings={},
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={},
    computed=COMPUTED,
    drawings="reproductions.jacobs_1991.figures:draw",
    beside={
        **{one.name: "Table 1 with a third coding of the targets" for one in FOUR_OUTPUTS},
        **dict.fromkeys(
            ("interference_cooperative", "interference_likelihood"),
            "what the other mixtures forget, besides the one the claim is about",
        ),
        **dict.fromkeys(
            ("separation_eight", "separation_four"),
            "when experts part and the gate begins to choose; J91-07 needs a different measure",
        ),
    },
    seeds_in_a_run=lambda number: {SEEDS: number + TRIALS},
    moved={
        "reproductions.jacobs_1991.networks": "moebench.models.local_experts_1991",
        "reproductions.jacobs_1991.replica_training.ReplicaTraining": (
            "moebench.population.Population"
        ),
        "reproductions.jacobs_1991.vowels": "moebench.data.vowels",
    },
)
