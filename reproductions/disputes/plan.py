"""The runs behind the claims of claims.py; several questions share an arm where they can.

All arms have 4 layers of width 64, each with experts of a total width of 1024, of which a token
passes through 128, except where a name says otherwise. An arm changes what its name says.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import LOSSES, NETWORK, SMOKE, VALID_BATCHES, losses, steps
from reproductions.disputes.claims import (
    BATCH,
    BY_BATCH,
    BY_SEQUENCE,
    EIGHT,
    HASH,
    LOSS,
    NARROW,
    NULL,
    ONE,
    ONE_IN,
    PURE_BATCH,
    PURE_STEP,
    SEQUENCE,
    SHARED_BESIDE,
    SHARED_OF_2,
    SHARED_OF_8,
    STEP,
    TWO,
    TWO_IN,
    TWO_WIDE,
)
from reproductions.disputes.paper import COMPUTED

ROUTER = f"{NETWORK}.sparse.router"
HIDDEN = f"{NETWORK}.sparse.experts.init_args.hidden"
SHARED = f"{NETWORK}.shared"
MIXTURE = ["mixture.yaml"]
SCOPES, PURE, ONE_SOURCE = [*MIXTURE, "scopes.yaml"], "pure.yaml", [*MIXTURE, "one_source.yaml"]
BATCHES, LENGTH = 4, 64  # batches a step in scopes.yaml; tokens of a sequence
EVERY = "trainer.val_check_interval"  # counts batches, not steps


def gate(experts: int, k: int, name: str = "SoftmaxTopK", **more: object) -> dict[str, object]:
    """Return a router in a configuration."""
    return {"class_path": name, "init_args": {"num_experts": experts, "k": k, **more}}


def layout(experts: int, k: int, hidden: int, shared: int = 0) -> dict[str, object]:
    """Return the settings for k of so many experts, and the width of a shared one; 0: none."""
    together = {"class_path": "moebench.moe.experts.shared.Shared", "init_args": {"hidden": shared}}
    beside = {SHARED: together} if shared else {}
    return {ROUTER: gate(experts, k), HIDDEN: hidden, **beside}


def room(share: float, experts: int, k: int) -> dict[str, object]:
    """Return the router whose experts have room for a multiple of their even share of requests.

    A token is served before those after it, so that none depends on later ones.
    """
    capacity = {"factor": share * k, "priority": "position"}
    limited = {"router": gate(experts, k), "capacity": capacity}
    return {ROUTER: {"class_path": "Limited", "init_args": limited}}


def chosen(**group: int) -> dict[str, object]:
    """Return the settings of expert choice: it needs no balance loss, but its thresholds learn."""
    name = "reproductions.disputes.thresholded_choice.ThresholdedChoice"
    return {ROUTER: gate(16, 2, name, **group), **losses(ThresholdGap=1.0)}


def scope(name: str, **arguments: object) -> dict[str, object]:
    """Return the settings of a balance loss of weight 0.01 of another class."""
    loss = {"class_path": name, "init_args": arguments} if arguments else name
    return {LOSSES: [{"loss": loss, "weight": 0.01}]}


WIDE = layout(8, 1, 128)  # one of 8 experts twice as wide as those of mixture.yaml
BUCKETS = {"num_experts": 8}
ONE_OR_TWO = [
    Arm(ONE, MIXTURE, WIDE),
    Arm(TWO, MIXTURE),
    Arm(TWO_WIDE, MIXTURE, layout(8, 2, 128)),
    *(Arm(name, MIXTURE, {**WIDE, **room(share, 8, 1)}) for share, name in ONE_IN.items()),
    *(Arm(name, MIXTURE, room(share, 16, 2)) for share, name in TWO_IN.items()),
    Arm(
        HASH,
        MIXTURE,
        {**WIDE, ROUTER: {"class_path": "BalancedHash", "init_args": BUCKETS}, **losses()},
    ),
]
SHARING = [
    Arm(SHARED_OF_2, MIXTURE, layout(15, 1, 64, shared=64)),
    Arm(EIGHT, MIXTURE, layout(64, 8, 16)),
    Arm(SHARED_OF_8, MIXTURE, layout(63, 7, 16, shared=16)),
    Arm(SHARED_BESIDE, MIXTURE, layout(30, 2, 32, shared=64)),
]
CHOOSING = [
    Arm(BY_BATCH, MIXTURE, chosen()),
    Arm(BY_SEQUENCE, MIXTURE, chosen(group=LENGTH)),
]
OVER_STEP = scope("StepLoadBalance")
BALANCING = [
    Arm(STEP, SCOPES, OVER_STEP),
    Arm(BATCH, SCOPES),
    Arm(SEQUENCE, SCOPES, scope("SequenceBalance", length=LENGTH)),
    Arm(PURE_STEP, [*SCOPES, PURE], OVER_STEP),
    Arm(PURE_BATCH, [*SCOPES, PURE]),
]
CONTROLS = [
    Arm(NARROW, MIXTURE, {HIDDEN: 8}),
    Arm(NULL[0], ONE_SOURCE),
    Arm(NULL[1], ONE_SOURCE, WIDE),
]
ARMS = [*ONE_OR_TWO, *SHARING, *CHOOSING, *BALANCING, *CONTROLS]


def names(arms: list[Arm]) -> list[str]:
    """Return the names of arms."""
    return [arm.name for arm in arms]


def interval(number: int) -> dict[str, dict[str, object]]:
    """Return the setting by arm that validates every so many steps of several batches."""
    return {arm.name: {EVERY: number * BATCHES} for arm in BALANCING}


QUICK = [ONE, TWO, HASH]
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[TWO, TWO_IN[1.0], HASH, SHARED_OF_2, BY_SEQUENCE, SEQUENCE, PURE_STEP],
            seeds=1,
            settings={**SMOKE, f"{NETWORK}.shape.layers": 2},
            arm_settings=interval(2),
        ),
        Profile(
            "quick",
            arms=QUICK,
            seeds=5,
            settings={**steps(400, validations=4, cooldown=80), VALID_BATCHES: 16},
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "full",
            arms=names(ARMS),
            seeds=5,
            settings=steps(800, validations=8, cooldown=160),
            more_seeds=dict.fromkeys((arm for claim in LOSS for arm in claim.arms), 10),
            arm_settings=interval(100),
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "One expert a token, or two": names(ONE_OR_TWO[:-1]),
        "Learned or hashed": [ONE, HASH],
        "Shared experts": [TWO, *names(SHARING)],
        "Experts or tokens choose": [TWO, TWO_IN[1.0], *names(CHOOSING)],
        "Scope of the balance loss": names(BALANCING),
        "Controls": [TWO, *names(CONTROLS)],
    },
    computed=COMPUTED,
)
