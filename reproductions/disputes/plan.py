"""The runs behind the claims of claims.py; several questions share an arm where they can.

In all arms a token passes through experts of a width of 128, of 1024 in all, except where a name
says otherwise. An arm changes what its name says.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import LOSSES, NETWORK, SMOKE, losses, steps
from reproductions.disputes.claims import (
    EXPERTS,
    FOUR,
    GROUPS,
    HASH,
    NARROW,
    NEARLY,
    OF_NULL,
    ONE,
    ONE_LIMITED,
    PURE,
    PURE_GROUPS,
    SEEDS,
    SHARED_OF_2,
    SHARED_OF_4,
    TOKENS,
    TOKENS_LIMITED,
    TWO,
    TWO_LIMITED,
    TWO_WIDE,
    WEIGHT_ONE,
)
from reproductions.disputes.paper import COMPUTED

ROUTER = f"{NETWORK}.sparse.router"
HIDDEN = f"{NETWORK}.sparse.experts.init_args.hidden"
SHARED = f"{NETWORK}.shared"
MIXTURE, SPANS = ["mixture.yaml"], ["spans.yaml"]
EXAMINED = [*MIXTURE, "examined.yaml"]
PURE_TEXT = [*EXAMINED, "pure.yaml"]
GROUP = 8 * 64  # tokens: eight sequences, a quarter of a batch
BLOCKS = "reproductions.disputes.block_balance.BlockBalance"


def gate(experts: int, k: int, name: str = "SoftmaxTopK") -> dict[str, object]:
    """Return a router in a configuration."""
    return {"class_path": name, "init_args": {"num_experts": experts, "k": k}}


def layout(experts: int, k: int, hidden: int, shared: int = 0) -> dict[str, object]:
    """Return the settings for k of so many experts, and the width of a shared one; 0: none."""
    together = {"class_path": "moebench.moe.experts.shared.Shared", "init_args": {"hidden": shared}}
    beside = {SHARED: together} if shared else {}
    return {ROUTER: gate(experts, k), HIDDEN: hidden, **beside}


def limited(factor: float, experts: int, k: int) -> dict[str, object]:
    """Return the router whose experts have a capacity, of a factor that counts tokens, whatever k.

    A token is served before those after it, so that none depends on later ones.
    """
    capacity = {"factor": factor, "priority": "position"}
    init_args = {"router": gate(experts, k), "capacity": capacity}
    return {ROUTER: {"class_path": "Limited", "init_args": init_args}}


def of_eight(router: str) -> dict[str, object]:
    """Return the settings for one of the 8 wide experts by a router that has no k."""
    return {**WIDE, ROUTER: {"class_path": router, "init_args": {"num_experts": 8}}}


WIDE = layout(8, 1, 128)  # one of 8 experts twice as wide as those of mixture.yaml
BY_BLOCK: dict[str, object] = {
    LOSSES: [
        {
            "loss": {"class_path": BLOCKS, "init_args": {"length": GROUP}},
            "weight": 0.01,
        }
    ]
}
ONE_OR_TWO = [
    Arm(ONE, MIXTURE, WIDE),
    Arm(TWO, EXAMINED),
    Arm(TWO_WIDE, MIXTURE, layout(8, 2, 128)),
    Arm(ONE_LIMITED, MIXTURE, {**WIDE, **limited(1.0, 8, 1)}),
    Arm(TWO_LIMITED, MIXTURE, {**WIDE, **limited(1.0, 8, 2)}),
]
HASHING = [
    Arm(HASH, MIXTURE, {**of_eight("BalancedHash"), **losses()}),
    Arm(WEIGHT_ONE, MIXTURE, of_eight("StraightThrough")),
]
SHARING = [
    Arm(SHARED_OF_2, MIXTURE, layout(15, 1, 64, shared=64)),
    Arm(FOUR, MIXTURE, layout(32, 4, 32)),
    Arm(SHARED_OF_4, MIXTURE, layout(31, 3, 32, shared=32)),
]
CHOOSING = [
    Arm(TOKENS, SPANS),
    Arm(TOKENS_LIMITED, SPANS, limited(2.0, 16, 2)),  # room for the even share of two requests
    Arm(EXPERTS, SPANS, {ROUTER: gate(16, 2, "ExpertChoice"), **losses()}),
]
BALANCING = [
    Arm(GROUPS, EXAMINED, BY_BLOCK),
    Arm(PURE, PURE_TEXT),
    Arm(PURE_GROUPS, PURE_TEXT, BY_BLOCK),
]
CONTROLS = [
    Arm(NARROW, MIXTURE, {HIDDEN: 32}),
    Arm(NEARLY, EXAMINED, losses(LoadBalance=0.011)),
]
ARMS = [*ONE_OR_TWO, *HASHING, *SHARING, *CHOOSING, *BALANCING, *CONTROLS]


def names(arms: list[Arm]) -> list[str]:
    """Return the names of arms."""
    return [arm.name for arm in arms]


QUICK = [ONE, HASH]
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[TWO_LIMITED, HASH, WEIGHT_ONE, SHARED_OF_2, EXPERTS, PURE_GROUPS],
            seeds=1,
            settings={**SMOKE, f"{NETWORK}.shape.layers": 2},
        ),
        Profile(
            "quick",
            arms=QUICK,
            seeds=10,
            settings=steps(300, validations=3, cooldown=60),
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "full",
            arms=names(ARMS),
            seeds=SEEDS,
            settings=steps(1000, validations=5, cooldown=200),
            more_seeds={TWO: OF_NULL, NEARLY: OF_NULL},
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "One expert a token, or two": names(ONE_OR_TWO),
        "Learned or hashed": [ONE, *names(HASHING)],
        "Shared experts": [TWO, *names(SHARING)],
        "Experts or tokens choose": names(CHOOSING),
        "Scope of the balance loss": [TWO, *names(BALANCING)],
        "Controls": [TWO, *names(CONTROLS)],
    },
    computed=COMPUTED,
)
