"""What a mixture gains over one dense model, at equal tokens and at equal time, in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from moebench.papers.plan import EQUAL
from moebench.report.formatting import digits, interval, listed
from moebench.statistics import Interval

LOSS = "valid/loss"  # compared at equal time, whatever is compared after equal training
TOKENS, TIME = "at equal tokens", "at equal time"
COSTS = dict(zip(EQUAL, ("FLOPs a token", "parameters", "time a step"), strict=True))
AHEAD, BEHIND, OPEN, ALONE, UNKNOWN = "ahead", "behind", "open", "one seed", "unknown"


@dataclass(frozen=True)
class Gain:
    """A mixture beside one dense model.

    Args:
        name: names of the two, on one or several lines.
        metric: compared after equal training.
        tokens: mixture minus dense, of the metric after equal training.
        time: mixture minus dense, of the validation loss when the faster of the two had ended.
        less: whether less of the metric is better.
    """

    name: str
    metric: str
    tokens: Interval
    time: Interval
    less: bool = True

    @property
    def after_tokens(self) -> str:
        """Where the mixture stands after equal training."""
        return _standing(self.tokens, self.less)

    @property
    def after_time(self) -> str:
        """Where the mixture stands at equal time."""
        return _standing(self.time, less=True)

    @property
    def told(self) -> str:
        """Both differences in words."""
        parts = [f"{interval(self.tokens, '+')} in {self.metric} {TOKENS}"]
        if self.time.n:
            metric = "" if self.metric == LOSS else f" in {LOSS}"
            parts.append(f"{interval(self.time, '+')}{metric} {TIME}")
        else:
            parts.append("at equal time not known")
        return listed(parts)


def _standing(found: Interval, less: bool) -> str:
    """Say whether a difference puts a mixture ahead, beyond chance."""
    if found.n < 2:
        return ALONE if found.n else UNKNOWN
    if found.low > 0 or found.high < 0:
        return AHEAD if (found.high < 0) == less else BEHIND
    return OPEN


def tally(standings: Sequence[str]) -> Counter[str]:
    """Count the mixtures ahead, behind, and too close to call."""
    return Counter(one for one in standings if one in (AHEAD, BEHIND, OPEN))


def costs_told(ratios: Mapping[str, Sequence[float]]) -> str:
    """Say how many times the costs of its dense model a mixture has.

    Args:
        ratios: cost -> its ratios; of several, only the smallest and largest are named.
    """
    parts = []
    for cost, values in ratios.items():
        low, high = digits(min(values), 2), digits(max(values), 2)
        times = low if low == high else f"{low} to {high}"
        parts.append(f"{times} times the {COSTS[cost]}")
    return listed(parts)
