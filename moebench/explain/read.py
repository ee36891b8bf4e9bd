"""Which numbers of its runs a test looks at: found by watching it, for tests may be anybody's."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from moebench.claims import ClaimTest
from moebench.verdict.evidence import Evidence


class Watched(Mapping[str, float]):
    """Metrics that note which of them are read.

    Args:
        metrics: of a run.
        seen: gets a key for each metric that is read.
    """

    def __init__(self, metrics: Mapping[str, float], seen: dict[str, None]) -> None:
        self.metrics = metrics
        self.seen = seen

    def __getitem__(self, name: str) -> float:
        """Return a metric, and note it if it is there."""
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
    """Return the metrics that a test reads: its own first, then in the order in which it does so.

    A curve counts as the metric that it is of. Nothing is found of runs that cannot be judged.
    """
    seen: dict[str, None] = {}
    runs = {
        arm: {seed: replace(run, metrics=Watched(run.metrics, seen)) for seed, run in found.items()}
        for arm, found in evidence.runs.items()
    }
    if not evidence.missing:
        test.judge(Evidence(runs))
    names = dict.fromkeys(name.partition("@")[0] if "@" in name else name for name in seen)
    return [test.metric] * (test.metric in names) + [one for one in names if one != test.metric]
