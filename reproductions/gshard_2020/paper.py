"""GShard: the paper and its claims.

plan.py defines the arms. Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668).
"""

from moebench.papers.claim import Paper
from reproductions.gshard_2020.claims_computed import OF_FUNCTIONS
from reproductions.gshard_2020.claims_trained import TRAINED

PAPER = Paper(
    key="gshard_2020",
    name="gshard",
    title="GShard: Scaling Giant Models with Conditional Computation and Automatic Sharding",
    authors="Lepikhin, Lee, Xu, Chen, Firat, Huang, Krikun, Shazeer and Chen",
    year=2020,
    arxiv="2006.16668",
    headline="G20-04a",
)
_ARITHMETIC = "reproductions.gshard_2020.arithmetic"
_MECHANISMS = "reproductions.gshard_2020.mechanisms"
# Arms that are computed, not trained: name -> "module:function", which returns the metrics.
COMPUTED = {
    **{name: f"{_ARITHMETIC}:{name}" for name in ("table_1", "gains", "depth", "growth")},
    **{
        name: f"{_MECHANISMS}:{name}"
        for name in ("second_at_random", "second_always", "groups", "auxiliary_loss")
    },
}
CLAIMS = sorted([*OF_FUNCTIONS, *TRAINED], key=lambda claim: claim.key)
