"""The runs behind the claims in paper.py: arms, profiles, seeds.

All arms of one world share data, optimiser, schedule and seeds; an arm changes what its name says.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import NETWORK, SMOKE, VALID_BATCHES, WORLD, losses, steps
from reproductions.shazeer_2017.paper import BALANCE, COMPUTED, DOMAINS, FLAT, MOE_4, NULL, RIVALS

ROUTER = f"{NETWORK}.middle.init_args.router.init_args"
RECALL = ("recall.yaml",)


def balance(importance: float, load: float) -> dict[str, object]:
    """Return the settings for the balance weights."""
    return losses(Importance=importance, Load=load)


def experts(number: int, k: int = 4) -> dict[str, object]:
    """Return the settings for the number of experts and of active experts."""
    return {f"{ROUTER}.num_experts": number, f"{ROUTER}.k": k}


# Fewer facts than elsewhere, so that runs get close to convergence, where collapse shows.
TABLE_6 = [
    Arm(
        name,
        [*RECALL, "moe.yaml"],
        {**experts(32, k=2), **balance(*weights), f"{WORLD}.facts": 4096},
    )
    for name, weights in BALANCE.items()
]
OTHER_WORLD = [
    Arm(name, ["sources.yaml", "moe.yaml"], {**experts(32, k=2), **balance(*weights)})
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

# Smaller seeds were used in trials, to choose step size and number of facts and to time runs.
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
            settings={**SMOKE, VALID_BATCHES: 2},
            computed=["published", "gate_gradient"],
        ),
        Profile(
            "quick",
            arms=[*BALANCE, *DOMAINS],
            seeds=5,
            settings={**steps(1500, validations=10), VALID_BATCHES: 8},
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "full",
            arms=[arm.name for arm in ARMS],
            seeds=5,
            settings=steps(4000, validations=40),
            first_seed=FIRST_FRESH_SEED,
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
    beside={"experts_64_h": "Table 7 and Figure 2: experts in two levels"},
    drawings="reproductions.shazeer_2017.figures:draw",
    tables="reproductions.shazeer_2017.tables:tables",
)
