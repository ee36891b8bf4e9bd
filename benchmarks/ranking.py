"""Ranks of models, as far as their differences, paired by seed, are clear."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moebench.comparison import EQUAL
from moebench.evidence.record import RunRecord
from moebench.statistics import Interval, Values, holm
from moebench.statistics.estimates import mean
from moebench.verdict.conditions import LEVEL
from moebench.verdict.mixed_evidence import mixed_arm, mixed_code, mixed_data
from moebench.verdict.paired_runs import paired

DENSE = "dense"
LOSS, FLOPS = "valid/loss", "flops_per_token"
Runs = Mapping[str, Sequence[RunRecord]]  # entry -> its runs with fresh seeds
Losses = Mapping[str, Mapping[int, float]]  # entry -> seed -> validation loss


@dataclass(frozen=True)
class Place:
    """An entry in the ranking.

    Args:
        name: of the entry.
        runs: the finished ones.
        loss: mean validation loss.
        gap: difference to the dense model, paired by seed.
        first: best rank that its differences to the others allow; 0 for an entry without a rank.
        last: worst rank that they allow.
        beats: entries that it clearly ranks before.
    """

    name: str
    runs: Sequence[RunRecord]
    loss: Interval
    gap: Interval
    first: int = 0
    last: int = 0
    beats: frozenset[str] = frozenset()

    @property
    def rank(self) -> str:
        """The rank, a range of ranks, or a dash."""
        if not self.first:
            return "–"
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def places(runs: Runs) -> list[Place]:
    """Return the entries, the lowest mean loss first, those without a rank last.

    An entry ranks before another if their difference, paired by seed, is significant among all such
    differences (Student's t, Holm's method at 5%). The numbers of entries before and after it leave
    a rank or a range of ranks. Entries without a finished run have no rank, nor do entries whose
    trained models differ from the dense one in FLOPs.

    Raises:
        ValueError: if the dense model has no finished run, or runs are mixed.
    """
    done = {name: [run for run in of if run.status == "finished"] for name, of in runs.items()}
    if not done[DENSE]:
        raise ValueError("dense: no run finished")
    for name, of in done.items():
        if why := mixed_arm(of) or mixed_data(of, done[DENSE]):
            raise ValueError(f"{name}: not ranked with the dense model: {why}")
    if why := mixed_code(run for of in done.values() for run in of):
        raise ValueError(f"not ranked together: {why}")
    losses = {name: {run.seed: run.metrics[LOSS] for run in of} for name, of in done.items()}
    ranked = {name: losses[name] for name, of in done.items() if _equal(of, done[DENSE])}
    beaten = _beaten(ranked)
    found = []
    for name, of in done.items():
        loss = mean(np.array(list(losses[name].values()))).interval
        gap = mean(_difference(losses[name], losses[DENSE])).interval
        if name not in ranked:
            found.append(Place(name, of, loss, gap))
            continue
        first = 1 + sum(name in others for others in beaten.values())
        last = len(ranked) - len(beaten[name])
        found.append(Place(name, of, loss, gap, first, last, beaten[name]))
    return sorted(found, key=lambda place: (not place.first, not place.runs, place.loss.estimate))


def mean_cost(runs: Sequence[RunRecord], cost: str) -> float:
    """Return the mean of a cost over some runs."""
    return float(np.mean([getattr(run, cost) for run in runs]))


def _equal(ours: Sequence[RunRecord], dense: Sequence[RunRecord]) -> bool:
    """Say whether there are runs and they cost the same as those of the dense model."""
    return bool(ours) and abs(mean_cost(ours, FLOPS) / mean_cost(dense, FLOPS) - 1) <= EQUAL[FLOPS]


def _beaten(losses: Losses) -> dict[str, frozenset[str]]:
    """Return entry -> the entries that it clearly ranks before."""
    pairs = list(itertools.combinations(losses, 2))
    differences = [_difference(losses[one], losses[other]) for one, other in pairs]
    clear = [p < LEVEL for p in holm([_chance(values) for values in differences])]
    found: dict[str, set[str]] = {name: set() for name in losses}
    for (one, other), values, known in zip(pairs, differences, clear, strict=True):
        if known:
            better, worse = (one, other) if values.mean() < 0 else (other, one)
            found[better].add(worse)
    return {name: frozenset(others) for name, others in found.items()}


def _difference(one: Mapping[int, float], other: Mapping[int, float]) -> Values:
    """Return the differences over the common seeds."""
    ours, theirs = paired(one, other)
    return np.asarray(ours - theirs)


def _chance(values: Values) -> float:
    """Return the two-sided p of the hypothesis of no difference."""
    found = mean(values)
    return min(1.0, 2 * found.p_at_most(0.0), 2 * found.p_at_least(0.0))
