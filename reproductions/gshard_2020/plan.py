"""The runs behind the claims in paper.py: arms, profiles, seeds.

All arms of one world share data, optimiser, schedule and seeds; an arm changes what its name says.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import COMPUTED_ONLY, Arm, Plan, Profile
from moebench.papers.settings import LOSSES, NETWORK, SMOKE, VALID_BATCHES, WORLD, steps
from reproductions.gshard_2020.claims_trained import (
    DEEP,
    GRID,
    LARGE_SOURCE,
    MANY,
    ONE_SOURCE,
    ONE_SOURCE_DEEP,
    ONE_SOURCE_ENDS,
    SHALLOW,
)
from reproductions.gshard_2020.paper import COMPUTED

GROUP = 1024  # tokens; a batch of 2048 has two groups
ALPHA = 0.01  # weight of the balance loss where it is one for uniform routing, as in switch_2021
ROUTER = f"{NETWORK}.sparse.router.init_args.router.init_args"
SHAPE = f"{NETWORK}.shape"
MOE = "moe.yaml"


def mixture(experts: int, layers: int = SHALLOW) -> dict[str, object]:
    """Return the settings for a number of experts per layer, and of layers.

    The printed loss falls with the square of the number of experts, and the paper gives no weight:
    one that rises with the square pulls as strongly for any number.
    """
    loss = {"class_path": "FirstChoiceBalance", "init_args": {"group": GROUP}}
    return {
        f"{ROUTER}.num_experts": experts,
        f"{SHAPE}.layers": layers,
        LOSSES: [{"loss": loss, "weight": ALPHA * experts**2}],
    }


ARMS = [
    *(Arm(name, ["many_sources.yaml", MOE], mixture(*sizes)) for name, sizes in GRID.items()),
    *(Arm(name, ["one_source.yaml", MOE], mixture(count)) for name, count in ONE_SOURCE.items()),
    *(
        Arm(name, ["one_source.yaml", MOE], mixture(count, DEEP))
        for name, count in ONE_SOURCE_DEEP.items()
    ),
    *(
        Arm(name, ["large_source.yaml", MOE], mixture(count))
        for name, count in LARGE_SOURCE.items()
    ),
]
NOT_LARGE = [arm.name for arm in ARMS if arm.name not in LARGE_SOURCE]
# On an accelerator: four times the width, and a hundred sources with more transitions to match.
GPU = {
    **steps(3000, validations=30),
    f"{SHAPE}.width": 128,
    f"{SHAPE}.hidden": 256,
    f"{NETWORK}.sparse.experts.init_args.hidden": 256,
    "data.init_args.batch_size": 128,
    VALID_BATCHES: 16,
    # With a 4 times larger width, the step size is 4 times smaller.
    "model.optimizer": {
        "class_path": "torch.optim.AdamW",
        "init_args": {"lr": 3e-3, "fused": True},
    },
}
GPU_WORLD = {
    f"{WORLD}.chains": 100,
    f"{WORLD}.words": 128,
    f"{WORLD}.successors": 32,
    "data.init_args.vocabulary": 12816,
}
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=["experts_8", "deep_128", "one_source_8", "large_source_8"],
            seeds=1,
            settings={**SMOKE, VALID_BATCHES: 2},
            computed=["gains", "groups"],
        ),
        # Without the deep arms: G20-04a is the headline, and G20-05 comes with it, but for its
        # control.
        Profile(
            "quick",
            arms=[*MANY, *ONE_SOURCE_ENDS, *LARGE_SOURCE],
            seeds=3,
            settings={**steps(600, validations=6), VALID_BATCHES: 16},
            more_seeds=dict.fromkeys(MANY, 5),
            first_seed=FIRST_FRESH_SEED,
        ),
        COMPUTED_ONLY,
        Profile(
            "full",
            arms=[arm.name for arm in ARMS],
            seeds=5,
            settings=steps(3000, validations=30),
            first_seed=FIRST_FRESH_SEED,
        ),
        # The positive control needs a world that small arms cannot store, so it stays small.
        Profile(
            "gpu",
            arms=NOT_LARGE,
            seeds=5,
            settings=GPU,
            arm_settings=dict.fromkeys(GRID, GPU_WORLD),
            on_gpu=True,
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "Experts and depth": list(GRID),
        "Null control: one small source": [*ONE_SOURCE, *ONE_SOURCE_DEEP],
        "Positive control: one large source": list(LARGE_SOURCE),
    },
    computed=COMPUTED,
)
