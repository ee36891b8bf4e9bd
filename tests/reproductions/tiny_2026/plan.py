"""The runs behind the claims of paper.py."""

from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import FASTER, NETWORK, PRECISION, SMOKE, VALID_BATCHES, steps

ARMS = [
    Arm("dense", ["switch_8.yaml"], twin_of="switch_8"),
    Arm("switch_8", ["switch_8.yaml"]),
    Arm("top2_8", ["top2_8.yaml"]),
]
NAMES = [arm.name for arm in ARMS]
SMALL = {PRECISION: FASTER, VALID_BATCHES: 2, f"{NETWORK}.shape.layers": 2}
PLAN = Plan(
    ARMS,
    [
        Profile("smoke", NAMES, 2, {**SMOKE, **SMALL}),
        Profile("quick", NAMES, 3, {**steps(20, validations=2), **SMALL}),
        Profile("full", NAMES, 5, {**steps(40, validations=4), **SMALL}),
    ],
    {"All": NAMES},
)
