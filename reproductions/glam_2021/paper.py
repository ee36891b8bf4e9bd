"""GLaM: the paper and its claims.

plan.py defines the arms. Source: Du et al. 2021, GLaM (arXiv 2112.06905).
"""

from moebench.papers.claim import Paper
from reproductions.glam_2021.claims_computed import OF_FUNCTIONS
from reproductions.glam_2021.claims_trained import TRAINED

PAPER = Paper(
    key="glam_2021",
    name="glam",
    order=1,
    title="GLaM: Efficient Scaling of Language Models with Mixture-of-Experts",
    authors="Du, Huang, Dai, Tong and others",
    year=2021,
    arxiv="2112.06905",
    headline="GL21-02",
)
_ARITHMETIC = "reproductions.glam_2021.arithmetic"
# Arms that are computed, not trained: name -> "module:function", which returns the metrics.
COMPUTED = {name: f"{_ARITHMETIC}:{name}" for name in ("percentages", "table_4", "flops")}
CLAIMS = sorted([*OF_FUNCTIONS, *TRAINED], key=lambda claim: claim.key)
