"""The runs behind the claims in paper.py: a sweep over the weight of the balance loss, and arms.

The arms share data, optimiser, schedule and seeds; an arm changes what its name says. The sweep is
of another model, that of Mixtral's paper.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import COMPUTED_ONLY, Arm, Plan, Profile
from moebench.papers.settings import LOSSES, NETWORK, SMOKE, VALID_BATCHES, losses, steps
from reproductions.loss_free_2024.bias_claims import (
    AUX,
    ERRORS,
    FREE,
    MULTIPLIED,
    NEARLY,
    RATES,
    SOFTMAX,
    TEN,
)
from reproductions.loss_free_2024.leak_claims import (
    ARMS_LEAK,
    BY_NEXT,
    BY_TOKEN,
    CHOICE,
    CHUNKS,
    SHUFFLED,
)
from reproductions.loss_free_2024.paper import COMPUTED, FRONT
from reproductions.loss_free_2024.v3_claims import BATCH, FROZEN, INDEPENDENT, SEQUENCE, SEQUENCES

FILE = ["free.yaml"]
ROUTER = f"{NETWORK}.sparse.router"
STEPS, LENGTH = 1000, 64
FROZEN_FROM = STEPS * 95 // 100


def gate(name: str = "SigmoidTopK") -> dict[str, object]:
    """Return a router of 3 of the 16 experts."""
    return {"class_path": name, "init_args": {"num_experts": 16, "k": 3}}


def bias(name: str = "SigmoidTopK", **how: object) -> dict[str, object]:
    """Return the settings of a router that a bias balances."""
    init_args = {"router": gate(name), "rate": 1e-3, **how}
    return {ROUTER: {"class_path": "BiasBalanced", "init_args": init_args}}


def balance(weight: float) -> dict[str, object]:
    """Return the settings of a balance loss over the batch; zero means no loss at all."""
    return {ROUTER: gate(), **(losses(LoadBalance=weight) if weight else losses())}


def within_sequences(weight: float) -> dict[str, object]:
    """Return the settings of a balance loss over every sequence."""
    loss = {"class_path": "SequenceBalance", "init_args": {"length": LENGTH}}
    return {ROUTER: gate(), LOSSES: [{"loss": loss, "weight": weight}]}


RULES = [
    *(Arm(name, FILE, bias(rate=float(rate))) for rate, name in RATES.items()),
    *(Arm(name, FILE, bias(rate=float(rate), rule="error")) for rate, name in ERRORS.items()),
    Arm(MULTIPLIED, FILE, bias("ScaledTopK")),
    Arm(SOFTMAX, FILE, bias("BiasedTopK")),
    Arm(FROZEN, FILE, bias(rates={str(FROZEN_FROM): 0.0})),
]
WEIGHTS = [Arm(name, FILE, balance(float(weight))) for weight, name in AUX.items()]
WORLD = [*FILE, "independent.yaml"]
SCOPES_AND_CONTROLS = [
    *(Arm(name, FILE, within_sequences(float(weight))) for weight, name in SEQUENCES.items()),
    Arm(INDEPENDENT[0], WORLD, within_sequences(1e-2)),
    Arm(INDEPENDENT[1], WORLD),
    Arm(INDEPENDENT[2], WORLD, balance(1e-2)),
    Arm(NEARLY, FILE, balance(1.1e-2)),
]
OF_TEXT = [Arm(FREE, FILE), *WEIGHTS, *RULES, *SCOPES_AND_CONTROLS]
ARMS = [*OF_TEXT, *ARMS_LEAK]
HEADLINE = [FREE, *AUX.values()]
# Arms of claims on the loss.
WITH_TEN = [*HEADLINE, *SEQUENCES.values(), *ERRORS.values(), MULTIPLIED, SOFTMAX, NEARLY]

PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[FREE, BATCH, SEQUENCE, FROZEN, CHOICE, SHUFFLED, BY_NEXT],
            seeds=1,
            settings={**SMOKE, VALID_BATCHES: 2, f"{NETWORK}.shape.layers": 2},
            sweeps={FRONT: {"seeds": 1}},
        ),
        Profile(
            "quick",
            arms=HEADLINE,
            seeds=3,
            settings={**steps(400, validations=4), VALID_BATCHES: 16},
            first_seed=FIRST_FRESH_SEED,
        ),
        COMPUTED_ONLY,
        Profile(
            "full",
            arms=[arm.name for arm in ARMS],
            seeds=5,
            settings={},  # which would change the sweep as well
            arm_settings={
                **{arm.name: steps(STEPS, validations=10) for arm in OF_TEXT},
                **{arm.name: steps(800, validations=8, cooldown=160) for arm in ARMS_LEAK},
            },
            more_seeds=dict.fromkeys(WITH_TEN, TEN),
            sweeps={FRONT: {}},
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "Bias or balance loss": HEADLINE,
        "Rate of the bias": [RATES["1e-4"], FREE, RATES["1e-2"], RATES["1e-1"]],
        "Rules of the bias": [FREE, *ERRORS.values(), MULTIPLIED, FROZEN],
        "Gate": [FREE, SOFTMAX],
        "Scope of the balance": [*SEQUENCES.values(), FREE, BATCH],
        "Expert choice: size of the chunks": [*CHUNKS.values(), SHUFFLED],
        "Controls: choice by the token, and by the next one": [BY_TOKEN, BY_NEXT],
        "Null control: nearly the same weight": [BATCH, NEARLY],
        "Null control: independent draws": list(INDEPENDENT),
    },
    computed=COMPUTED,
    sweeps={FRONT: "front.yaml"},
)
