"""The runs behind the claims of paper.py: one sweep over the weight of the balance loss."""

from moebench.papers.plan import Plan, Profile
from moebench.papers.settings import SMOKE
from reproductions.loss_free_2024.paper import FRONT

PLAN = Plan(
    arms=[],
    profiles=[
        Profile("smoke", arms=[], seeds=1, settings=SMOKE, sweeps={FRONT: {"seeds": 1}}),
        Profile("quick", arms=[], seeds=3, settings={}, sweeps={FRONT: {"seeds": 3}}),
        Profile("full", arms=[], seeds=5, settings={}, sweeps={FRONT: {}}),
    ],
    groups={},
    sweeps={FRONT: "front.yaml"},
)
