"""The runs behind the claims in paper.py: arms, profiles, seeds.

All arms of one world share data, optimiser, schedule and seeds; an arm changes what its name says.
"""

from collections.abc import Mapping

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import COMPUTED_ONLY, Arm, Plan, Profile
from moebench.papers.settings import (
    FASTER,
    LOSSES,
    NETWORK,
    PRECISION,
    SMOKE,
    VALID_BATCHES,
    steps,
)
from reproductions.glam_2021.claims_trained import EXPERTS, LARGE_SOURCE, ONE_SOURCE, TEXT
from reproductions.glam_2021.paper import COMPUTED

ALPHA = 0.01  # weight of the balance loss where it is one for uniform routing
SHAPE = f"{NETWORK}.shape"
HIDDEN = f"{NETWORK}.sparse.experts.init_args.hidden"
FILE = ("glam_16.yaml",)


def width(number: int) -> dict[str, object]:
    """Return the settings for a width; blocks and experts are four times as wide inside."""
    return {f"{SHAPE}.width": number, f"{SHAPE}.hidden": 4 * number, HIDDEN: 4 * number}


def experts(number: int) -> dict[str, object]:
    """Return the settings for a number of experts, at the smaller width.

    The printed balance loss falls with the square of the number, so its weight rises with it.
    """
    loss = {"loss": "FirstChoiceBalance", "weight": ALPHA * number**2}
    router = f"{NETWORK}.sparse.router.init_args.num_experts"
    return {**width(NARROW), router: number, LOSSES: [loss]}


def pair(arms: Mapping[str, str], files: tuple[str, ...], of_width: int) -> list[Arm]:
    """Return a mixture and its dense twin."""
    [(sparse, dense)] = arms.items()
    settings = width(of_width)
    return [Arm(sparse, files, settings), Arm(dense, files, settings, twin_of=sparse)]


NARROW, WIDE = 32, 64
SIZES = {"narrow_moe": NARROW, "wide_moe": WIDE}
OF_TEXT = [
    arm for sparse, dense in TEXT.items() for arm in pair({sparse: dense}, FILE, SIZES[sparse])
]
CONTROLS = [
    *pair(LARGE_SOURCE, (*FILE, "large_source.yaml"), NARROW),
    *pair(ONE_SOURCE, (*FILE, "one_source.yaml"), NARROW),
]
NUMBERS = [Arm(name, FILE, experts(number)) for name, number in EXPERTS.items()]
ARMS = [*OF_TEXT, *CONTROLS, *NUMBERS]
PAIRS = [arm.name for arm in OF_TEXT]

# On an accelerator: four times the widths, sequences of 256 and batches of 16,384 tokens.
GPU = {
    **steps(3000, validations=30),
    PRECISION: FASTER,
    "data.init_args.length": 256,
    "data.init_args.batch_size": 64,
    VALID_BATCHES: 16,
    # With a 4 times larger width, the step size is 4 times smaller.
    "model.optimizer": {
        "class_path": "torch.optim.AdamW",
        "init_args": {"lr": 3e-3, "fused": True},
    },
}
GPU_ARMS = {
    **{arm: width(4 * SIZES[sparse]) for sparse, dense in TEXT.items() for arm in (sparse, dense)},
    **dict.fromkeys(EXPERTS, width(4 * NARROW)),
}
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=["narrow_moe", "narrow_dense", "large_source_moe", "one_source_moe", "experts_8"],
            seeds=1,
            settings={**SMOKE, VALID_BATCHES: 2},
            computed=["percentages"],
        ),
        # Without the arms of GL21-03: the headline is GL21-02, with its controls.
        Profile(
            "quick",
            arms=[*PAIRS, *(arm.name for arm in CONTROLS)],
            seeds=3,
            settings={**steps(600, validations=6), VALID_BATCHES: 16},
            more_seeds=dict.fromkeys(PAIRS, 5),
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
        # The positive control needs a world that the dense model cannot store, so it stays small.
        Profile(
            "gpu",
            arms=list(GPU_ARMS),
            seeds=5,
            settings=GPU,
            arm_settings=GPU_ARMS,
            on_gpu=True,
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "Sparse against dense": PAIRS,
        "Number of experts": list(EXPERTS),
        "Positive control: one large source": [arm.name for arm in CONTROLS[:2]],
        "Null control: one small source": [arm.name for arm in CONTROLS[2:]],
    },
    computed=COMPUTED,
    tables="reproductions.glam_2021.tables:tables",
)
