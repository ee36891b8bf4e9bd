"""What summaries and lectures commonly say about mixtures of experts, as claims.

Those that a sweep judges; those about the 1991 paper, in secondary.py; those about gates that learn
through a choice or by hashing, in gate_claims.py and hash_claims.py; and those about the size and
number of experts, in granularity_claims.py and picks_claims.py.
"""

from moebench.papers.claim import Claim, Paper
from reproductions.source_notes.gate_claims import CLAIMS_GATES
from reproductions.source_notes.granularity_claims import CLAIMS_GRANULARITY
from reproductions.source_notes.hash_claims import CLAIMS_HASHING
from reproductions.source_notes.judging import ExplainsMore, FrontInWorlds
from reproductions.source_notes.picks_claims import CLAIMS_PICKS
from reproductions.source_notes.secondary import CLAIMS_SECONDARY
from reproductions.source_notes.secondary_controls import CONTROLS_SECONDARY

PAPER = Paper(
    key="source_notes",
    name="notes",
    title="Common statements about mixtures of experts",
    authors="secondary accounts",
    year=2025,
    arxiv="",
    headline="N5-02",
)
EVEN, SKEWED, SENSITIVITY = "even", "skewed", "sensitivity"
WEIGHTS = (0.0, 1e-3, 1e-2, 1e-1, 1.0)  # those of even.yaml and skewed.yaml
ACCOUNT = "a secondary account of why gates are hard to train"
WORLDS = {
    "some domains more frequent": tuple(f"{SKEWED}/{weight:g}" for weight in WEIGHTS),
    "all domains equally frequent": tuple(f"{EVEN}/{weight:g}" for weight in WEIGHTS),
}

CLAIMS = [
    *CLAIMS_SECONDARY,
    *CONTROLS_SECONDARY,
    *CLAIMS_GATES,
    *CLAIMS_HASHING,
    *CLAIMS_GRANULARITY,
    *CLAIMS_PICKS,
    Claim(
        key="N5-02",
        version=2,  # the account names no world, so both worlds are choices
        says="Forced balance can cost quality: a trade-off",
        source=ACCOUNT,
        paper_values={},
        matched_on="active_flops",
        test=FrontInWorlds(worlds=WORLDS, imbalance="route/max_violation", margin=0.005),
        same_data=tuple(WORLDS.values()),
        uncontrolled="for no text is the cost of balance known in advance",
    ),
    Claim(
        key="N5-04",
        version=2,  # version 1 judged a comparison with the learning rate, which the account lacks
        says="Results are very sensitive to the balance weight, the temperature and the capacity "
        "factor",
        source=ACCOUNT,
        paper_values={},
        matched_on=None,
        because="The account does not say how sensitive or over which ranges, and its temperature "
        "is that of a Gumbel-softmax; N5-04s measures what can be measured.",
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
        uncontrolled="for no study of training runs are the shares known in advance",
        caution="valid for these ranges and this one set of points",
    ),
]
