"""Whether two runs came to the same: bit for bit, within noise, or not."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from statistics import stdev

from scipy.stats import t

from moebench.evidence.record import RunRecord

TIME = "seconds"  # a metric of that name is measured, and no two runs take equally long
COUNTS = ("status", "steps", "tokens", "params_total", "params_active")  # have no noise
ROUNDING = 1e-5  # of a number, or of one where it is smaller
FEWEST = 3  # other seeds of which a spread is worth the name
LEVEL = 0.05


class Sameness(StrEnum):
    """What a run made again says of the recorded one."""

    IDENTICAL = "identical"
    WITHIN = "equal within noise"
    DIFFERENT = "different"


@dataclass(frozen=True)
class Reading:
    """One number of both runs; None where a run does not have it.

    `noise` is how far apart the two may lie.
    """

    name: str
    then: float | None
    now: float | None
    noise: float

    @property
    def same(self) -> bool:
        """Whether not a bit differs."""
        return self.then == self.now

    @property
    def within(self) -> bool:
        """Whether what differs is noise."""
        if self.then is None or self.now is None:
            return self.same
        return abs(self.then - self.now) <= self.noise

    @property
    def apart(self) -> float:
        """How many times the noise the two are apart."""
        if self.then is None or self.now is None:
            return 0.0 if self.same else inf
        return abs(self.then - self.now) / self.noise


@dataclass(frozen=True)
class Comparison:
    """Two runs of one arm and seed, side by side.

    Args:
        counts: what has no noise and differs: name -> then and now; a run that failed says
            nothing, and counts as one that differs.
        deciding: the numbers that claims are judged by.
        others: the rest of the numbers of the recorded run.
        seeds: how many have the spread that is the noise, without the one that is compared, which
            would vouch for itself; 0: there are too few, so that the noise is rounding.
    """

    counts: Mapping[str, tuple[object, object]]
    deciding: Sequence[Reading]
    others: Sequence[Reading]
    seeds: int

    @property
    def word(self) -> Sameness:
        """What the comparison comes to."""
        if self.counts or not all(reading.within for reading in self.deciding):
            return Sameness.DIFFERENT
        same = all(reading.same for reading in [*self.deciding, *self.others])
        return Sameness.IDENTICAL if same else Sameness.WITHIN

    @property
    def noise(self) -> str:
        """Where the noise comes from, in a sentence."""
        rounding = f"rounding, {ROUNDING:g} of a number or of 1 where it is smaller"
        if not self.seeds:
            return f"{rounding}: fewer than {FEWEST} other seeds of the arm have no spread to go by"
        return (
            f"in {1 - LEVEL:.0%} of all cases two runs of this arm with different seeds are no"
            f" further apart, by the spread between its {self.seeds} other seeds; at least"
            f" {rounding}"
        )


def compared(
    then: RunRecord, now: RunRecord, arm: Sequence[RunRecord], deciding: Collection[str]
) -> Comparison:
    """Compare a run with the recorded one.

    Args:
        then: the recorded one.
        now: the same, made again.
        arm: all recorded runs of the arm.
        deciding: names of the metrics that claims are judged by; if it has none of these, all are
            but for times.
    """
    runs = [one for one in arm if one.status == "finished" and one.seed != then.seed]
    untimed = [name for name in then.metrics if name != TIME]
    names = [name for name in then.metrics if name in deciding] or untimed
    rest = [name for name in untimed if name not in names]
    counts = {
        name: (getattr(then, name), getattr(now, name))
        for name in COUNTS
        if getattr(then, name) != getattr(now, name) or getattr(now, name) == "failed"
    }
    spread = len(runs) if len(runs) >= FEWEST else 0

    def reading(name: str, tries: int) -> Reading:
        found = then.metrics.get(name), now.metrics.get(name)
        values = [record.metrics[name] for record in runs if name in record.metrics]
        size = max([1.0, *(abs(value) for value in found if value is not None)])
        return Reading(name, *found, max(ROUNDING * size, _spread(values, tries)))

    return Comparison(
        counts, [reading(name, len(names)) for name in names], [reading(n, 1) for n in rest], spread
    )


def _spread(values: Sequence[float], tries: int) -> float:
    """Return what the difference of two seeds stays below but in 5% of all cases; 0: of too few.

    Args:
        values: one a seed.
        tries: how many numbers are compared at once, all of which must stay below (Bonferroni).
    """
    if len(values) < FEWEST:
        return 0.0
    return float(stdev(values) * 2**0.5 * t.ppf(1 - LEVEL / tries / 2, len(values) - 1))
