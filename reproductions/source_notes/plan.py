"""The runs behind the claims in paper.py: sweeps over the balance weight, a study, and gates.

Seeds of sweeps are their own; arms are trained with seeds that no trial has used.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Plan, Profile
from moebench.papers.settings import SMOKE
from reproductions.source_notes.gate_claims import COMPUTED
from reproductions.source_notes.hash_claims import ARMS_HASHING, HASHES, LEARNED, UNBALANCED
from reproductions.source_notes.paper import EVEN, SENSITIVITY, SKEWED, WEIGHTS

FRONTS = (EVEN, SKEWED)
PLAN = Plan(
    arms=ARMS_HASHING,
    profiles=[
        Profile(
            "smoke",
            arms=[arm.name for arm in ARMS_HASHING],
            seeds=1,
            settings=SMOKE,
            computed=["gate_top_1"],
            sweeps={EVEN: {"seeds": 1}, SENSITIVITY: {"seeds": 1, "trials": 4}},
        ),
        Profile("quick", arms=[], seeds=3, settings={}, sweeps={n: {"seeds": 3} for n in FRONTS}),
        Profile(
            "full",
            arms=[arm.name for arm in ARMS_HASHING],
            seeds=5,
            settings={},
            first_seed=FIRST_FRESH_SEED,
            sweeps={name: {} for name in (*FRONTS, SENSITIVITY)},
        ),
    ],
    groups={
        "All domains equally frequent": [f"{EVEN}/{weight:g}" for weight in WEIGHTS],
        "Some domains more frequent": [f"{SKEWED}/{weight:g}" for weight in WEIGHTS],
        "Hash routing": [*HASHES.values(), LEARNED, UNBALANCED],
    },
    computed=COMPUTED,
    sweeps={name: f"{name}.yaml" for name in (*FRONTS, SENSITIVITY)},
    drawings="reproductions.source_notes.figures:draw",
)
