"""The runs behind the claims in paper.py: sweeps over the balance weight, a study, and gates.

Seeds of sweeps are their own; arms are trained with seeds that no trial has used.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Plan, Profile
from moebench.papers.settings import SMOKE, steps
from reproductions.source_notes.gate_claims import COMPUTED
from reproductions.source_notes.hash_claims import ARMS_HASHING, HASHES, LEARNED, UNBALANCED
from reproductions.source_notes.paper import EVEN, SENSITIVITY, SKEWED, WEIGHTS
from reproductions.source_notes.picks_claims import ARMS_PICKS, NULL, ONE, PICKS, TINY

FRONTS = (EVEN, SKEWED)
ARMS = [*ARMS_HASHING, *ARMS_PICKS]
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[*(arm.name for arm in ARMS_HASHING), ONE, NULL[8]],
            seeds=1,
            settings=SMOKE,
            computed=["gate_top_1"],
            sweeps={EVEN: {"seeds": 1}, SENSITIVITY: {"seeds": 1, "trials": 4}},
        ),
        Profile("quick", arms=[], seeds=3, settings={}, sweeps={n: {"seeds": 3} for n in FRONTS}),
        Profile(
            "full",
            arms=[arm.name for arm in ARMS],
            seeds=5,
            settings={},  # which would change the sweeps as well
            arm_settings={arm.name: steps(800, validations=8, cooldown=160) for arm in ARMS_PICKS},
            first_seed=FIRST_FRESH_SEED,
            sweeps={name: {} for name in (*FRONTS, SENSITIVITY)},
        ),
    ],
    groups={
        "All domains equally frequent": [f"{EVEN}/{weight:g}" for weight in WEIGHTS],
        "Some domains more frequent": [f"{SKEWED}/{weight:g}" for weight in WEIGHTS],
        "Experts of a token, at equal cost": list(PICKS.values()),
        "Controls of the number of experts": [TINY, *NULL.values()],
        "Hash routing": [*HASHES.values(), LEARNED, UNBALANCED],
    },
    computed=COMPUTED,
    sweeps={name: f"{name}.yaml" for name in (*FRONTS, SENSITIVITY)},
    drawings="reproductions.source_notes.figures:draw",
)
