"""The runs behind the claims in paper.py: arms, profiles, seeds.

All arms share optimiser, schedule and seeds, and all but the null control the text; an arm changes
what its name says. The paper gives neither its balance loss nor its weight: `balance_*` try others.
"""

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import SMOKE, VALID_BATCHES, losses, steps
from reproductions.mixtral_2024.controls import NULL
from reproductions.mixtral_2024.paper import (
    COMPUTED,
    MIXTRAL,
    SAME_FLOPS,
    SAME_PARAMETERS,
)

FILE = ["mixtral_8.yaml"]
WEIGHTS = {"balance_0": 0.0, "balance_0.001": 0.001, "balance_0.1": 0.1}
DENSE = (SAME_FLOPS, SAME_PARAMETERS)
ARMS = [
    Arm(MIXTRAL, FILE),
    Arm(SAME_FLOPS, FILE, twin_of=MIXTRAL),
    Arm(SAME_PARAMETERS, FILE, twin_of=MIXTRAL, matched_on="total_params"),
    *(Arm(name, FILE, losses(LoadBalance=weight)) for name, weight in WEIGHTS.items()),
    Arm(NULL, [*FILE, "uniform.yaml"]),
]

# Seeds below the first fresh one were used in trials, to choose the step size and to time runs.
PLAN = Plan(
    arms=ARMS,
    profiles=[
        Profile(
            "smoke",
            arms=[MIXTRAL, SAME_FLOPS, NULL],
            seeds=2,
            settings={**SMOKE, VALID_BATCHES: 2},
            computed=["wins"],
        ),
        Profile(
            "quick",
            arms=[MIXTRAL, *DENSE],
            seeds=5,
            settings=steps(800, validations=8),
            first_seed=FIRST_FRESH_SEED,
        ),
        Profile(
            "full",
            arms=[arm.name for arm in ARMS],
            seeds=5,
            settings=steps(1600, validations=16),
            first_seed=FIRST_FRESH_SEED,
        ),
    ],
    groups={
        "Sparse against dense": [MIXTRAL, *DENSE],
        "Weight of the balance loss": [MIXTRAL, *WEIGHTS],
        "Null control": [NULL],
    },
    computed=COMPUTED,
    beside=dict.fromkeys(WEIGHTS, "Table 5, besides the weight that the claims are judged with"),
    tables="reproductions.mixtral_2024.tables:tables",
)
