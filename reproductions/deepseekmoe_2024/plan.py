"""The runs behind the claims in paper.py: arms, profiles, seeds.

All arms of one world share data, optimiser, schedule and seeds; an arm changes what its name says.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import COMPUTED_ONLY, Arm, Plan, Profile
from moebench.papers.settings import (
    FASTER,
    NETWORK,
    PRECISION,
    SMOKE,
    VALID_BATCHES,
    losses,
    steps,
)
from reproductions.deepseekmoe_2024.claims import (
    DEEPSEEK,
    DENSE,
    GSHARD,
    HALF,
    HASH,
    LARGE_DENSE,
    LARGER,
    MORE_SHARED,
    NULL,
    PLAIN,
    SHARED,
    SMALLER,
    SWITCH,
)
from reproductions.deepseekmoe_2024.layouts import EXPERTS, layout
from reproductions.deepseekmoe_2024.paper import COMPUTED

ROUTER = f"{NETWORK}.sparse.router"
HIDDEN = f"{NETWORK}.sparse.experts.init_args.hidden"
CALLBACKS = "trainer.callbacks"
OURS, TOP_2 = ["deepseek.yaml"], ["gshard.yaml"]
WHOLE = {CALLBACKS: None}  # nothing is taken from a model after training


def router(name: str, **arguments: object) -> dict[str, object]:
    """Return the settings of a router of all experts."""
    init_args = {"num_experts": EXPERTS, **arguments}
    return {ROUTER: {"class_path": name, "init_args": init_args}, **WHOLE}


TABLE_1 = [
    Arm(DEEPSEEK, OURS),
    Arm(GSHARD, TOP_2),
    Arm(SWITCH, TOP_2, router("Switch", jitter=0.0)),
    Arm(HASH, TOP_2, {**router("Hashed"), **losses()}),
    Arm(DENSE, TOP_2, router("Switch", jitter=0.0), twin_of=SWITCH),
]
TABLE_2 = [
    Arm(LARGER, TOP_2, {HIDDEN: 192}),
    Arm(LARGE_DENSE, TOP_2, WHOLE, twin_of=GSHARD, matched_on="total_params"),
]
ABLATION = [
    *(Arm(PLAIN[finer], OURS, {**layout(finer), **WHOLE}) for finer in (1, 2)),
    Arm(PLAIN[4], OURS, layout(4)),
    *(Arm(SHARED[finer], OURS, {**layout(finer, shared=1), **WHOLE}) for finer in (1, 2)),
    *(
        Arm(name, OURS, {**layout(4, shared=shared), **WHOLE})
        for name, shared in zip(MORE_SHARED[1:], (2, 4), strict=True)
    ),
    Arm(HALF, OURS, {**layout(4, shared=1, active=4), **WHOLE}),
]
CONTROLS = [
    Arm(SMALLER, TOP_2, {HIDDEN: 32, **WHOLE}),
    Arm(NULL[0], [*OURS, "one_source.yaml"], WHOLE),
    Arm(NULL[1], [*TOP_2, "one_source.yaml"], WHOLE),
]
ARMS = [*TABLE_1, *TABLE_2, *ABLATION, *CONTROLS]
MAIN = [DEEPSEEK, GSHARD]
# At eight times the width the step size is eight times smaller.
WIDTH = 512
GPU = {
    **steps(1500, validations=15),
    PRECISION: FASTER,
    f"{NETWORK}.shape.width": WIDTH,
    f"{NETWORK}.shape.hidden": 2 * WIDTH,
    f"{NETWORK}.shape.heads": 8,
    "data.init_args.length": 256,
    "data.init_args.batch_size": 64,
    VALID_BATCHES: 16,
    "model.optimizer": {
        "class_path": "torch.optim.AdamW",
        "init_args": {"lr": 1.5e-3, "fused": True},
    },
}
WIDE = {HIDDEN: 2 * WIDTH}
GPU_ARMS = {
    DEEPSEEK: {HIDDEN: WIDTH // 2, f"{NETWORK}.shared.init_args.hidden": WIDTH // 2},
    **dict.fromkeys((GSHARD, SWITCH, HASH), WIDE),
    DENSE: WIDE,
    LARGER: {HIDDEN: 3 * WIDTH},
    LARGE_DENSE: WIDE,
}
# Seeds below the first fresh one are for trials, which no verdict may use.
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[*MAIN, DENSE],
            seeds=1,
            settings={**SMOKE, VALID_BATCHES: 2, f"{NETWORK}.shape.layers": 2},
            computed=["combinations", "balance", "compute"],
        ),
        Profile(
            "quick",
            arms=MAIN,
            seeds=5,
            settings={**steps(600, validations=4), VALID_BATCHES: 16},
            first_seed=FIRST_FRESH_SEED,
        ),
        COMPUTED_ONLY,
        Profile(
            "full",
            arms=[arm.name for arm in ARMS],
            seeds=5,
            settings=steps(1600, validations=16),
            more_seeds=dict.fromkeys(MAIN, 10),
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "gpu",
            arms=list(GPU_ARMS),
            seeds=5,
            settings=GPU,
            on_gpu=True,
            more_seeds=dict.fromkeys(MAIN, 10),
            arm_settings=GPU_ARMS,
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "Table 1: five layouts": [arm.name for arm in TABLE_1],
        "Table 2: more parameters": [DEEPSEEK, LARGER, LARGE_DENSE],
        "Figure 3: finer and shared experts": [*PLAIN.values(), *SHARED.values()],
        "Number of shared experts": list(MORE_SHARED),
        "Figure 6: half of the active experts": [*MAIN, HALF],
        "Positive control: a quarter of the width": [GSHARD, SMALLER],
        "Null control: one source": list(NULL),
    },
    computed=COMPUTED,
)
