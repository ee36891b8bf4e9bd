"""Mixtures against dense models: what may be compared, and what comes out.

Two arms may stand side by side if they saw the same data and as many tokens and some cost is
equal: FLOPs or parameters to 5%, the time of a step to 10%. What is equal is measured, not taken
from a name. Everything else is refused, with the reason.

Differences are paired by seed. Beside the loss after equal training stand the loss at equal time,
and the steps and the time to the loss that the dense model ends with.
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
