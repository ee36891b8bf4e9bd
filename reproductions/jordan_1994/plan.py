"""The runs behind the claims in paper.py: each function trains one system with ten seeds."""

from moebench.papers.plan import Plan, Profile

SYSTEMS = (
    *("linear", "backprop_batch", "hme_em", "hme_least_squares"),
    *("backprop_online", "backprop_adam", "hme_online", "hme_gradient"),
)
PLAN = Plan(
    arms=[],
    profiles=[
        Profile("smoke", arms=[], seeds=1, settings={}, computed=["linear"]),
        Profile("quick", arms=[], seeds=1, settings={}),
        Profile("full", arms=[], seeds=1, settings={}),
    ],
    groups={},
    computed={name: f"reproductions.jordan_1994.hierarchical:{name}" for name in SYSTEMS},
    tables="reproductions.jordan_1994.tables:tables",
)
