"""What is widely told about mixtures of experts, in summaries and lectures, as claims.

So far those that a sweep judges. Fixed before any judged run.
"""

from typing import Any

from moebench.claims import Claim, Paper

PAPER = Paper(
    key="source_notes",
    name="notes",
    title="What is widely told about mixtures of experts",
    authors="secondary accounts",
    year=2025,
    arxiv="",
)
COMPUTED: dict[str, str] = {}
EVEN, SKEWED, SENSITIVITY = "even", "skewed", "sensitivity"
WEIGHTS = (0.0, 1e-3, 1e-2, 1e-1, 1.0)  # those of even.yaml and skewed.yaml
ACCOUNT = "a secondary account of why gates are hard to train"
TRADE_OFF: dict[str, Any] = {
    "source": ACCOUNT,
    "paper_values": {},
    "matched_on": "active_flops",
    "direction": "higher",
    "margin": 0.005,
    "test": "front",
    "settings": {"imbalance": "route/max_violation"},
}

CLAIMS = [
    Claim(
        key="N5-02",
        says="Forced balance can cost quality: a trade-off, here where some domains come more "
        "often than others",
        arms=tuple(f"{SKEWED}/{weight:g}" for weight in WEIGHTS),
        **TRADE_OFF,
    ),
    Claim(
        key="N5-02e",
        says="The same where all domains come equally often",
        arms=tuple(f"{EVEN}/{weight:g}" for weight in WEIGHTS),
        **TRADE_OFF,
    ),
    Claim(
        key="N5-04",
        says="Results are very sensitive to the balance weight, the temperature and the capacity "
        "factor: each explains more of the variance than the learning rate",
        source=ACCOUNT,
        paper_values={},
        arms=(SENSITIVITY,),
        matched_on=None,
        metric="share/balance weight",
        unit="share of the variance",
        direction="higher",
        test="explains_more",
        settings={
            "names": ("balance weight", "temperature", "capacity factor"),
            "against": "learning rate",
        },
    ),
]
