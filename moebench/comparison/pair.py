"""A mixture and one dense model: which costs are equal, and what the mixture gains."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from moebench.comparison.side import Side
from moebench.papers.plan import EQUAL, NAMES
from moebench.statistics import Interval
from moebench.statistics.estimates import geometric, mean
from moebench.verdict.mixed_evidence import mixed_code, mixed_data
from moebench.verdict.speed import steps_until

TOKENS_APART = 0.01


@dataclass(frozen=True)
class Pair:
    """A mixture and a dense model of one target and profile.

    Intervals are those of means over the seeds that finished in both; ratios are geometric means.
    """

    target: str
    profile: str
    mixture: Side
    dense: Side

    @cached_property
    def seeds(self) -> list[int]:
        """The seeds that finished in both."""
        return [seed for seed in sorted(self.mixture.runs) if seed in self.dense.runs]

    @cached_property
    def ratios(self) -> dict[str, float]:
        """Cost -> the mixture's over the dense model's."""
        theirs = self.dense.costs
        return {cost: self.mixture.costs[cost] / theirs[cost] for cost in EQUAL if theirs[cost]}

    @cached_property
    def times_compare(self) -> bool:
        """Whether all runs were made on the same kind of machine, so that times are comparable."""
        return len(self.mixture.machines | self.dense.machines) == 1

    @cached_property
    def equal(self) -> list[str]:
        """The costs that are equal; time only if times are comparable."""
        return [
            cost
            for cost, ratio in self.ratios.items()
            if abs(ratio - 1) <= EQUAL[cost] and (self.times_compare or cost != "seconds_per_step")
        ]

    @cached_property
    def missed(self) -> list[str]:
        """The costs that were planned to be equal and are not."""
        plan, theirs = self.mixture.planned, self.dense.planned
        return [
            cost
            for cost in self.ratios
            if cost in plan and plan[cost] == theirs.get(cost) and cost not in self.equal
            if self.times_compare or cost != "seconds_per_step"
        ]

    @cached_property
    def why_not(self) -> str:
        """Why the two must not be compared; empty if they may be."""
        ours, theirs = self.mixture, self.dense
        if other := {n for n in ours.data.keys() & theirs.data if ours.data[n] != theirs.data[n]}:
            names = ", ".join(f"{n.removeprefix('data.init_args.')}" for n in sorted(other))
            return f"{theirs.arm} used different data ({names})"
        our_runs, their_runs = list(ours.runs.values()), list(theirs.runs.values())
        if mixed := mixed_data(their_runs, our_runs):
            return f"{theirs.arm} used {mixed}"
        if mixed := mixed_code([*our_runs, *their_runs]):
            return f"{theirs.arm} ran different code: {mixed}"
        if abs(ours.tokens / theirs.tokens - 1) > TOKENS_APART:
            trained, expected = f"{theirs.tokens:,.0f} tokens", f"{ours.tokens:,.0f}"
            return f"{theirs.arm} was trained on {trained}, not {expected}"
        if not self.seeds:
            return f"{theirs.arm} has no seed in common"
        if not self.equal:
            found = ", ".join(f"{NAMES[cost]} x{ratio:.2f}" for cost, ratio in self.ratios.items())
            # A twin of equal FLOPs assumes that the mixture drops nothing.
            fewer = self.ratios.get("flops_per_token", 1.0) < 1 and ours.dropped > 0
            why = f"; {ours.dropped:.0%} of assignments were dropped" if fewer else ""
            return f"{theirs.arm} has no equal cost ({found}{why})"
        return ""

    @property
    def ends(self) -> tuple[float, float]:
        """Mean of the metric over the common seeds, for the mixture and for the dense model."""
        ours, theirs = ([side.ends[s] for s in self.seeds] for side in (self.mixture, self.dense))
        return sum(ours) / len(ours), sum(theirs) / len(theirs)

    @property
    def gain(self) -> float:
        """How much lower the mixture's metric is."""
        ours, theirs = self.ends
        return theirs - ours

    @cached_property
    def difference(self) -> Interval:
        """The metric after equal training, mixture minus dense."""
        return _interval([self.mixture.ends[s] - self.dense.ends[s] for s in self.seeds])

    @cached_property
    def difference_at_equal_time(self) -> Interval:
        """The validation loss when the first of the two finished, mixture minus dense.

        Curves are interpolated. Seeds whose curves start later than that are left out, and so are
        all seeds if times are not comparable.
        """
        found = [self._at_equal_time(seed) for seed in self.seeds if self.times_compare]
        return _interval([value for value in found if value is not None])

    @cached_property
    def steps_ratio(self) -> Interval:
        """The dense model's steps to its own final loss over those of the mixture."""
        return _ratio([dense / ours for ours, dense, _ in self._reached.values()])

    @cached_property
    def time_ratio(self) -> Interval:
        """The same in seconds; without any run if times are not comparable."""
        ours, theirs = self.mixture.pace, self.dense.pace
        found = self._reached.items() if self.times_compare else ()
        return _ratio([d * theirs[s] / (o * ours[s]) for s, (o, d, _) in found])

    @cached_property
    def never(self) -> int:
        """Runs of the mixture that never reach that loss; if any, both ratios are upper bounds."""
        return sum(not there for _, _, there in self._reached.values())

    @cached_property
    def _reached(self) -> dict[int, tuple[float, float, bool]]:
        """Seed -> steps of mixture and dense model to the latter's final loss, and whether both do.

        A mixture that never gets there counts with its last step.
        """
        found = {}
        for seed in self.seeds:
            if seed in self.mixture.curves and seed in self.dense.curves:
                ours, theirs = self.mixture.curves[seed], self.dense.curves[seed]
                loss = float(theirs[1][-1])
                steps = steps_until(*ours, loss)
                dense = steps_until(*theirs, loss)
                assert dense is not None  # its own last point
                last = float(ours[0][-1])
                found[seed] = (last if steps is None else steps, dense, steps is not None)
        return found

    def _at_equal_time(self, seed: int) -> float | None:
        """Return one seed's difference when the first of the two finished; None if unknown."""
        curves = []
        for side in (self.mixture, self.dense):
            if seed not in side.curves:
                return None
            steps, losses = side.curves[seed]
            curves.append((steps * side.pace[seed], losses))
        moment = min(times[-1] for times, _ in curves)
        if any(moment < times[0] for times, _ in curves):
            return None
        ours, theirs = (float(np.interp(moment, times, losses)) for times, losses in curves)
        return ours - theirs


def _interval(values: list[float]) -> Interval:
    """Return the mean with its interval."""
    return mean(np.array(values, dtype=float)).interval


def _ratio(values: list[float]) -> Interval:
    """Return the geometric mean with its interval."""
    return geometric(mean(np.log(values))).interval
