"""The runs behind the claims of paper.py: arms, profiles, seeds. What each arm is for stands there.

All arms of one world share data, optimiser, schedule and seeds; an arm changes what its name says.
"""

from moebench.plan import Arm, Plan, Profile
from reproductions.shazeer_2017.paper import BALANCE, COMPUTED, DOMAINS, FLAT, MOE_4, NULL, RIVALS

ROUTER = "model.network.init_args.middle.init_args.router.init_args"
WORLD = "data.init_args.world.init_args"
RECALL = ("recall.yaml",)


def losses(importance: float, load: float) -> dict[str, object]:
    """Return the setting of the balance weights; a loss of weight zero is still measured."""
    terms = [("Importance", importance), ("Load", load)]
    return {"model.losses": [{"loss": name, "weight": weight} for name, weight in terms]}


def experts(number: int, k: int = 4) -> dict[str, object]:
    """Return the setting of the number of experts, and of those at work."""
    return {f"{ROUTER}.num_experts": number, f"{ROUTER}.k": k}


# Fewer facts than elsewhere, so that a run comes near its end, where collapse shows.
TABLE_6 = [
    Arm(
        name,
        [*RECALL, "moe.yaml"],
        {**experts(32, k=2), **losses(*weights), f"{WORLD}.facts": 4096},
    )
    for name, weights in BALANCE.items()
]
OTHER_WORLD = [
    Arm(name, ["sources.yaml", "moe.yaml"], {**experts(32, k=2), **losses(*weights)})
    for name, weights in DOMAINS.items()
]
TABLE_7 = [
    *(Arm(name, [*RECALL, f"{name}.yaml"]) for name in RIVALS),
    Arm(MOE_4, [*RECALL, "moe_4.yaml"]),
    *(Arm(name, [*RECALL, "moe.yaml"], experts(number)) for name, number in FLAT.items()),
    Arm("experts_64_h", [*RECALL, "moe_h.yaml"]),
]
ONE_SOURCE = [
    Arm(name, ["one_source.yaml", "moe.yaml"], experts(number)) for name, number in NULL.items()
]
ARMS = [*TABLE_6, *OTHER_WORLD, *TABLE_7, *ONE_SOURCE]


def steps(number: int, validations: int) -> dict[str, object]:
    """Return the settings of a training of so many steps with so many validations."""
    return {"trainer.max_steps": number, "trainer.val_check_interval": number // validations}


FIRST_SEED = 1000  # smaller ones were used in trials: to find step size and facts, and to time runs
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[
                *("balance_none", "balance_both_0.1", "moe_4", "moe_1_deep"),
                *("lstm_projected", "experts_64_h"),
            ],
            seeds=2,
            settings={
                **steps(4, validations=2),
                "trainer.log_every_n_steps": 1,
                "data.init_args.valid_batches": 2,
            },
            computed=["published", "gate_gradient"],
        ),
        Profile(
            "quick",
            arms=[*BALANCE, *DOMAINS],
            seeds=5,
            settings={**steps(1500, validations=10), "data.init_args.valid_batches": 8},
            first_seed=FIRST_SEED,
        ),
        Profile(
            "full",
            arms=[arm.name for arm in ARMS],
            seeds=5,
            settings=steps(4000, validations=40),
            first_seed=FIRST_SEED,
        ),
    ],
    groups={
        "Table 6: balance losses": list(BALANCE),
        "Balance losses where capacity is not scarce": list(DOMAINS),
        "Table 7: dense rivals": [*RIVALS, MOE_4, "experts_64"],
        "Figure 2: number of experts": [MOE_4, *FLAT, "experts_64_h"],
        "Null control: one source": list(NULL),
    },
    computed=COMPUTED,
    drawings="reproductions.shazeer_2017.figures:draw",
    tables="reproductions.shazeer_2017.tables:tables",
)
