"""Which metrics a test reads, found by watching it: a test may be anyone's code."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from moebench.papers.claim import ClaimTest
from moebench.verdict.paired_runs import Evidence


class Watched(Mapping[str, float]):
    """Metrics that record which of them are read.

    Args:
        metrics: the metrics of a run.
        seen: receives a key for each metric read.
    """

    def __init__(self, metrics: Mapping[str, float], seen: dict[str, None]) -> None:
        self.metrics = metrics
        self.seen = seen

    def __getitem__(self, name: str) -> float:
        """Return a metric and record that it was read."""
        value = self.metrics[name]
        self.seen[name] = None
        return value

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self.metrics)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.metrics)


def metrics_read(test: ClaimTest, evidence: Evidence) -> list[str]:
    """Return the metrics that a test reads: its own first, then the others as it reads them.

    A curve that is read whole, apart from a point before the first step, counts as its metric.
    Without runs to judge there is nothing to find.
    """
    seen: dict[str, None] = {}
    runs = {
        arm: {seed: replace(run, metrics=Watched(run.metrics, seen)) for seed, run in found.items()}
        for arm, found in evidence.runs.items()
    }
    if not evidence.missing:
        test.judge(Evidence(runs))
    known = {
        name for found in evidence.runs.values() for run in found.values() for name in run.metrics
    }
    unread = Counter(name.partition("@")[0] for name in known - set(seen) if "@" in name)
    names = dict.fromkeys(_whole(name, known, unread) for name in seen)
    return [test.metric] * (test.metric in names) + [one for one in names if one != test.metric]


def _whole(name: str, known: Collection[str], unread: Mapping[str, int]) -> str:
    """Return the metric whose curve was read whole, or the point itself if only some were read."""
    curve, at, _ = name.partition("@")
    return curve if at and curve in known and unread.get(curve, 0) <= 1 else name
