"""Mixtures against dense models: which arms may be compared, and the results.

Two arms may be compared if they trained on the same data and equally many tokens, and at least one
cost is equal: FLOPs or parameters within 5%, or time per step within 10%. Costs are measured, not
inferred from names. Every other pair is refused, with the reason.

Differences are paired by seed. Besides the loss after equal training, a comparison gives the loss
at equal time, and the steps and the time to reach the dense model's final loss.
"""

from moebench.comparison.pair import Pair
from moebench.comparison.pairs import Comparison, Refusal, compare
from moebench.comparison.run_sources import found_runs, from_files, wanted, wanted_tags
from moebench.comparison.side import Side
from moebench.papers.plan import EQUAL, NAMES

__all__ = [
    "EQUAL",
    "NAMES",
    "Comparison",
    "Pair",
    "Refusal",
    "Side",
    "compare",
    "found_runs",
    "from_files",
    "wanted",
    "wanted_tags",
]
