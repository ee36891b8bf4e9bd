"""The runs behind the claims in paper.py: arms, profiles, seeds.

All arms share data, objective, optimiser, schedule and seeds; an arm changes what its name says.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import (
    FASTER,
    NETWORK,
    PRECISION,
    SMOKE,
    VALID_BATCHES,
    losses,
    steps,
)
from reproductions.switch_2021.paper import COMPUTED

ROUTER = f"{NETWORK}.sparse.router.init_args"
FACTOR = f"{ROUTER}.capacity.factor"
EXPERTS = f"{ROUTER}.router.init_args.num_experts"
SWITCH = ["switch_8.yaml"]


def capacity(factor: float) -> dict[str, object]:
    """Return the setting for the capacity factor."""
    return {FACTOR: factor}


def balance(weight: float) -> dict[str, object]:
    """Return the setting for the balance weight alpha; zero means no loss at all."""
    return losses(LoadBalance=weight) if weight else losses()


TABLE_1 = [
    Arm("dense", SWITCH, twin_of="switch_cf1.25", matched_on="active_flops"),
    *(Arm(f"switch_cf{factor}", SWITCH, capacity(factor)) for factor in (1.0, 1.25, 2.0)),
    *(Arm(f"top2_cf{factor}", ["top2_8.yaml"], capacity(factor)) for factor in (1.0, 1.25, 2.0)),
]
SCALING = [Arm(f"experts_{count}", SWITCH, {EXPERTS: count}) for count in (2, 4, 16, 32, 64, 128)]
BALANCE = [
    Arm(f"alpha_{name}", SWITCH, balance(float(name)))
    for name in ("0", "1e-4", "1e-3", "1e-1", "1")
]
EXPLORATION = [
    Arm("explore_argmax", SWITCH, {f"{ROUTER}.router.init_args.jitter": 0.0}),
    Arm("explore_sample", ["explore_sample.yaml"]),
    Arm("explore_dropout", ["explore_dropout.yaml"]),
]
ATTENTION = [
    Arm("attention_experts", ["attention_experts.yaml"]),
    Arm("both_experts", ["switch_8.yaml", "attention_experts.yaml"]),
]
# Claim 18 compares FLOPs with parameters: the mixtures of `many_narrow` have 4 times the parameters
# of those of `few_wide` and a quarter of the FLOPs, with both widths halved as in the paper.
HIDDEN = f"{NETWORK}.sparse.experts.init_args.hidden"
SHAPE = f"{NETWORK}.shape"
SIZES = [
    Arm(
        "few_wide",
        SWITCH,
        {EXPERTS: 4, HIDDEN: 384, f"{SHAPE}.width": 96, f"{SHAPE}.hidden": 384},
    ),
    Arm(
        "many_narrow",
        SWITCH,
        {EXPERTS: 64, HIDDEN: 192, f"{SHAPE}.width": 48, f"{SHAPE}.hidden": 192},
    ),
    Arm("dense_x3.5", ["dense.yaml"], {f"{SHAPE}.width": 128, f"{SHAPE}.hidden": 560}),
]
OTHERS = [
    Arm("init_1.0", SWITCH, {f"{NETWORK}.initial_scale": 1.0}),
    Arm("reroute_cf1.0", SWITCH, {**capacity(1.0), f"{ROUTER}.overflow": "NextExpert"}),
]
T5 = [
    Arm("t5_dense", ["t5_switch_8.yaml"], twin_of="t5_switch_8", matched_on="active_flops"),
    Arm("t5_switch_8", ["t5_switch_8.yaml"]),
]
# Worlds with a known answer for the comparison of sparse and dense: one that lacks nothing but
# capacity, and one with nothing to fill it with.
CONTROLS = [
    arm
    for world in ("recall", "one_source")
    for arm in (
        Arm(f"{world}_switch_8", [*SWITCH, f"{world}.yaml"]),
        Arm(f"{world}_dense", [*SWITCH, f"{world}.yaml"], twin_of=f"{world}_switch_8"),
    )
]
ARMS = [
    *(*TABLE_1, *SCALING, *BALANCE, *EXPLORATION, *ATTENTION, *SIZES, *OTHERS, *T5),
    *CONTROLS,
]


# At T5-small's width, with up to 128 experts. Mixtures set the hidden width of their experts.
WIDE = {f"{HIDDEN}": 2048}
GPU_ARMS = {
    **{arm.name: WIDE for arm in [*TABLE_1, *SCALING, *BALANCE, *EXPLORATION, *OTHERS, *T5]},
    "attention_experts": {},
    "both_experts": WIDE,
    "few_wide": {HIDDEN: 3072, f"{SHAPE}.width": 768, f"{SHAPE}.hidden": 3072},
    "many_narrow": {HIDDEN: 1536, f"{SHAPE}.width": 384, f"{SHAPE}.hidden": 1536},
    "dense_x3.5": {f"{SHAPE}.width": 1024, f"{SHAPE}.hidden": 4480},
    "experts_128": WIDE,
}
GPU = {
    **steps(1500, validations=30),
    PRECISION: FASTER,
    f"{SHAPE}.width": 512,
    f"{SHAPE}.hidden": 2048,
    f"{SHAPE}.heads": 8,
    "data.init_args.length": 256,
    "data.init_args.batch_size": 64,
    VALID_BATCHES: 16,
    # With an 8 times larger width, the step size is 8 times smaller.
    "model.optimizer": {
        "class_path": "torch.optim.AdamW",
        "init_args": {"lr": 1.5e-3, "fused": True},
    },
}
# What fits into a quarter of an hour: the arms of SW21-02, 03, 05 and 11. SW21-01 needs six arms.
QUICK_ARMS = ["dense", "switch_cf1.25", "switch_cf2.0", "top2_cf2.0", "init_1.0", "experts_64"]
TEN_SEEDS = [
    *("init_1.0", "switch_cf1.0", "switch_cf1.25", "dense", "reroute_cf1.0"),
    *("experts_2", "experts_4", "explore_argmax", "explore_sample", "explore_dropout"),
]
# Seeds below the first fresh one were used in trials, to choose the learning rate and time runs.
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=["dense", "switch_cf1.25", "top2_cf1.0"],
            seeds=2,
            settings={
                **SMOKE,
                PRECISION: FASTER,
                VALID_BATCHES: 2,
                f"{SHAPE}.layers": 2,
            },
        ),
        Profile(
            "quick",
            arms=QUICK_ARMS,
            seeds=3,
            settings={**steps(1000, validations=10), PRECISION: FASTER, VALID_BATCHES: 16},
            more_seeds={"dense": 5, "switch_cf1.25": 5},
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "full",
            arms=[arm.name for arm in ARMS if arm.name != "experts_128"],
            seeds=5,
            settings=steps(2000, validations=40),
            more_seeds=dict.fromkeys(TEN_SEEDS, 10),
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "gpu",
            arms=list(GPU_ARMS),
            seeds=5,
            settings=GPU,
            on_gpu=True,
            more_seeds=dict.fromkeys(TEN_SEEDS, 10),
            arm_settings=GPU_ARMS,
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "Table 1: capacity, top-1 and top-2": [arm.name for arm in TABLE_1],
        "Number of experts": ["dense", "experts_2", "experts_4", "switch_cf1.25"]
        + [f"experts_{count}" for count in (16, 32, 64, 128)],
        "Balance weight": ["switch_cf1.25", *(arm.name for arm in BALANCE)],
        "Exploration": ["switch_cf1.25", *(arm.name for arm in EXPLORATION)],
        "Experts in attention": ["switch_cf1.25", *(arm.name for arm in ATTENTION)],
        "FLOPs against parameters": [arm.name for arm in SIZES],
        "Initial scale": ["switch_cf1.25", "init_1.0"],
        "Overflow rule": ["switch_cf1.0", "reroute_cf1.0"],
        "Span corruption": [arm.name for arm in T5],
        "Positive control: facts to recall": [arm.name for arm in CONTROLS[:2]],
        "Null control: one source": [arm.name for arm in CONTROLS[2:]],
    },
    computed=COMPUTED,
    beside={
        **dict.fromkeys(
            ("attention_experts", "both_experts"),
            "the figure of experts in attention; SW21-19 needs them in float32",
        ),
        "experts_128": "the figure of the number of experts",
    },
)
