"""The runs behind the claims in paper.py: arms, profiles, seeds.

All arms share data, steps, schedule and seeds, and those of one size their learning rate; an arm
changes what its name says.
"""

from collections.abc import Mapping, Sequence

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import FASTER, NETWORK, PRECISION, SMOKE, VALID_BATCHES, losses
from reproductions.scale_axis.comparisons import (
    COMPARED,
    DENSE,
    ENDS,
    FLAT,
    MANY,
    MIXTURE,
    NARROW,
    ONE_EXPERT,
    SEEDS,
    SHRINKING,
    SIZES,
    SMALL,
    TWO,
    UNBALANCED,
    arm,
)
from reproductions.scale_axis.scales import RATE, SHAPE, Scale, rate

ROUTER = f"{NETWORK}.sparse.router.init_args.router.init_args"
HIDDEN = f"{NETWORK}.sparse.experts.init_args.hidden"
# What a mixture changes in mixture.yaml.
MIXTURES: Mapping[str, Mapping[str, object]] = {
    MIXTURE: {},
    TWO: {f"{ROUTER}.k": 2},
    MANY: {f"{ROUTER}.num_experts": 32},
    UNBALANCED: losses(LoadBalance=0.0),
    ONE_EXPERT: {f"{ROUTER}.num_experts": 1},
}
IN_CONTROLS = {name for pair in (*FLAT, *SHRINKING) for name in pair}
# Name -> size and what it is, in the order of tables.
ARMS = {
    **{arm(size, what): (size, what) for size in SIZES for what in COMPARED},
    **{arm(size, ONE_EXPERT): (size, ONE_EXPERT) for size in ENDS},
    arm(SMALL, NARROW): (SMALL, NARROW),
}


def made(name: str, size: str, what: str) -> Arm:
    """Return an arm, whose size the profiles set."""
    if what == NARROW:
        return Arm(name, ["dense.yaml"])
    if what == DENSE:
        return Arm(name, ["mixture.yaml"], twin_of=arm(size, MIXTURE))
    return Arm(name, ["mixture.yaml"], MIXTURES[what])


def model(scale: Scale, width: int, what: str) -> dict[str, object]:
    """Return the settings of a model of this width, and of its learning rate."""
    own = {f"{SHAPE}.hidden": width} if what == NARROW else {HIDDEN: 4 * width}
    return {**scale.model(width), **rate(RATE / width), **own}


def trained(scale: Scale, widths: Sequence[int]) -> dict[str, dict[str, object]]:
    """Return arm -> the settings of its model and training, for widths by size."""
    of_size = dict(zip(SIZES, widths, strict=True))
    return {
        name: {**model(scale, of_size[size], what), **scale.training()}
        for name, (size, what) in ARMS.items()
    }


WIDTHS = (32, 64, 128)
# The text has 7 million tokens, of which these runs read 2.
FULL = Scale(steps=2000)
QUICK = Scale(steps=400)
# A hundred times the size, and eight times the tokens: the text is read somewhat more than twice.
GPU_WIDTHS = (320, 576, 1024)
GPU = Scale(steps=4000, layers=8, head=64, length=256)
QUICK_ARMS = [arm(size, what) for size in SIZES for what in (DENSE, MIXTURE)]
QUICK_ARMS += [name for name in ARMS if name in IN_CONTROLS and name not in QUICK_ARMS]
SMOKE_ARMS = [name for name, (size, what) in ARMS.items() if size == SMALL and what != UNBALANCED]
PLAN = Plan(
    arms=[made(name, *of) for name, of in ARMS.items()],
    profiles=[
        Profile(
            "smoke",
            arms=SMOKE_ARMS,
            seeds=1,
            settings={**SMOKE, VALID_BATCHES: 2},
            arm_settings={name: model(FULL, WIDTHS[0], ARMS[name][1]) for name in SMOKE_ARMS},
        ),
        # The first comparison with its controls: a first look, which is too short to decide much.
        Profile(
            "quick",
            arms=QUICK_ARMS,
            seeds=3,
            settings={VALID_BATCHES: 16},
            arm_settings=trained(QUICK, WIDTHS),
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "full",
            arms=list(ARMS),
            seeds=SEEDS,
            settings={VALID_BATCHES: 64},
            arm_settings=trained(FULL, WIDTHS),
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "gpu",
            arms=list(ARMS),
            seeds=SEEDS,
            settings={PRECISION: FASTER, VALID_BATCHES: 16},
            arm_settings=trained(GPU, GPU_WIDTHS),
            on_gpu=True,
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        **{f"{size.capitalize()} models": [arm(size, what) for what in COMPARED] for size in SIZES},
        "Controls": [name for name in ARMS if name in IN_CONTROLS],
    },
    drawings="reproductions.scale_axis.figures:draw",
    tables="reproductions.scale_axis.tables:tables",
)
