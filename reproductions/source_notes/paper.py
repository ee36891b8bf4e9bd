"""What is widely told about mixtures of experts, in summaries and lectures, as claims.

So far those that a sweep judges, and those told of the paper of 1991, which stand in secondary.py.
Fixed before any judged run.
"""

from typing import Any

from moebench.papers.claim import Claim, Paper
from moebench.verdict.front import Front
from reproductions.source_notes.judging import ExplainsMore
from reproductions.source_notes.secondary import CLAIMS_SECONDARY
from reproductions.source_notes.secondary_controls import CONTROLS_SECONDARY

PAPER = Paper(
    key="source_notes",
    name="notes",
    title="What is widely told about mixtures of experts",
    authors="secondary accounts",
    year=2025,
    arxiv="",
)
EVEN, SKEWED, SENSITIVITY = "even", "skewed", "sensitivity"
WEIGHTS = (0.0, 1e-3, 1e-2, 1e-1, 1.0)  # those of even.yaml and skewed.yaml
ACCOUNT = "a secondary account of why gates are hard to train"
USED = "judged on seeds that trials had used: waits for fresh ones"


def front(world: str) -> Front:
    """Return the test of a trade-off over the weights in one world."""
    arms = tuple(f"{world}/{weight:g}" for weight in WEIGHTS)
    return Front(weighted=arms, imbalance="route/max_violation", margin=0.005)


TRADE_OFF: dict[str, Any] = {
    "paper_values": {},
    "matched_on": "active_flops",
    "uncontrolled": "of no text is it known beforehand what balance costs",
    "caution": USED,
}

CLAIMS = [
    *CLAIMS_SECONDARY,
    *CONTROLS_SECONDARY,
    Claim(
        key="N5-02",
        says="Forced balance can cost quality: a trade-off, here where some domains come more "
        "often than others",
        source=ACCOUNT,
        test=front(SKEWED),
        **TRADE_OFF,
    ),
    Claim(
        key="N5-02e",
        says="Forced balance can cost quality where all domains come equally often, too",
        source="none; N5-02 in another world",
        ours=True,
        test=front(EVEN),
        **TRADE_OFF,
    ),
    Claim(
        key="N5-04",
        version=2,  # version 1 judged a comparison with the learning rate, which nobody makes
        says="Results are very sensitive to the balance weight, the temperature and the capacity "
        "factor",
        source=ACCOUNT,
        paper_values={},
        matched_on=None,
        because="The account says neither how much is very much nor over which ranges, and means "
        "the temperature of a Gumbel-softmax; N5-04s is what can be measured.",
    ),
    Claim(
        key="N5-04s",
        late=True,
        says="Balance weight, temperature of the scores and capacity factor each explain more of "
        "the variance of the loss than the learning rate does",
        source="none; a measure of N5-04",
        paper_values={},
        ours=True,
        matched_on=None,
        test=ExplainsMore(
            study=SENSITIVITY,
            metric="share/learning rate",
            shares=("share/balance weight", "share/temperature", "share/capacity factor"),
        ),
        uncontrolled="of no study of trainings are the shares known beforehand",
        caution=f"over these ranges and this one set of points; {USED}",
    ),
]
