"""All pairs that may be compared, and the reasons why others may not."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from moebench.comparison.data_sets import split_by_data
from moebench.comparison.pair import Pair
from moebench.comparison.run_sources import newest
from moebench.comparison.side import Side
from moebench.evidence.record import chooses
from moebench.papers.nearest import nearest
from moebench.tracking import Logged
from moebench.verdict.mixed_evidence import mixed_arm

METRIC = "valid/loss"
ROUTING = "route/"  # metrics that only a mixture has


@dataclass(frozen=True)
class Refusal:
    """An arm that is not compared with some or all of the others, and why."""

    target: str
    profile: str
    arm: str
    why: str


@dataclass(frozen=True)
class Comparison:
    """What was compared and what was not.

    Args:
        metric: the metric compared after equal training.
        groups: target and profile -> pairs, the largest gain of a mixture first.
        refusals: the refusals, ordered by target, profile and arm.
    """

    metric: str
    groups: Mapping[tuple[str, str], Sequence[Pair]]
    refusals: Sequence[Refusal]

    @property
    def count(self) -> int:
        """The number of pairs."""
        return sum(map(len, self.groups.values()))

    def best(self, count: int) -> "Comparison":
        """Return the same with at most `count` pairs, and as many refusals, in each group."""
        kept: Counter[tuple[str, str]] = Counter()
        refusals = []
        for refusal in self.refusals:
            kept[refusal.target, refusal.profile] += 1
            if kept[refusal.target, refusal.profile] <= count:
                refusals.append(refusal)
        groups = {key: pairs[:count] for key, pairs in self.groups.items()}
        return Comparison(self.metric, groups, refusals)


def compare(
    runs: Iterable[Logged], metric: str = METRIC, tags: Mapping[str, str] | None = None
) -> Comparison:
    """Compare every mixture with every dense arm of its target and profile.

    Args:
        runs: runs of any targets and profiles; for each arm, seed and data set the newest one
            that did not fail counts.
        metric: the metric to compare; lower is better.
        tags: tags that the mixtures must have; dense models need none, as they carry few.

    Raises:
        ValueError: if no run has that metric, or no mixture has those tags.
    """
    listed = newest(split_by_data(runs))
    judging = [run for run in listed if not chooses(run.record.target, run.record.seed)]
    if judging and not any(metric in run.record.metrics for run in judging):
        names = sorted({name for run in judging for name in run.record.metrics if "@" not in name})
        raise ValueError(f"metric={metric}: no run has it; {nearest(metric, names)}")
    groups = _groups(judging)
    searched = {
        key: [arm for arm in arms if arm not in groups.get(key, {})]
        for key, arms in _groups(listed).items()
    }
    if tags:
        groups = {key: _with_tags(arms, tags) for key, arms in groups.items()}
        tagged = [runs for arms in groups.values() for runs in arms.values()]
        if groups and not any(map(_routes, tagged)):
            named = ", ".join(f"{name}={value}" for name, value in tags.items())
            raise ValueError(f"tag={named}: no comparable mixture has it")
    found: dict[tuple[str, str], Sequence[Pair]] = {}
    refusals: list[Refusal] = []
    for key, unjudged in sorted(searched.items()):
        pairs, refused = _within(*key, groups.get(key, {}), metric)
        if pairs:
            found[key] = sorted(pairs, key=lambda pair: -pair.gain)
        refusals += refused
        if unjudged:
            named = unjudged[0] if len(unjudged) == 1 else f"{len(unjudged)} arms"
            why = "a search chose among these runs; only its best is judged, on fresh seeds"
            refusals.append(Refusal(*key, named, why))
    return Comparison(metric, found, refusals)


def _groups(runs: Iterable[Logged]) -> dict[tuple[str, str], dict[str, list[Logged]]]:
    """Return target and profile -> arm -> its runs."""
    groups: dict[tuple[str, str], dict[str, list[Logged]]] = {}
    for run in runs:
        key = run.record.target, run.record.profile
        groups.setdefault(key, {}).setdefault(run.record.arm, []).append(run)
    return groups


def _with_tags(
    arms: Mapping[str, list[Logged]], tags: Mapping[str, str]
) -> dict[str, list[Logged]]:
    """Return the dense arms, and the mixtures' runs that have these tags."""
    found = {}
    for arm, runs in arms.items():
        kept = [run for run in runs if tags.items() <= run.tags.items()]
        dense = not _routes(runs) and any(run.record.status == "finished" for run in runs)
        if dense or kept:
            found[arm] = runs if dense else kept
    return found


def _within(
    target: str, profile: str, arms: Mapping[str, Sequence[Logged]], metric: str
) -> tuple[list[Pair], list[Refusal]]:
    """Return the pairs and the refusals of one target and profile."""
    refusals: list[Refusal] = []
    mixtures: list[Side] = []
    dense: list[Side] = []
    for arm, runs in sorted(arms.items()):
        if why := _unsound(runs, metric):
            refusals.append(Refusal(target, profile, arm, why))
        else:
            (mixtures if _routes(runs) else dense).append(_side(arm, runs, metric))
    pairs = []
    for mixture in mixtures:
        possible = [Pair(target, profile, mixture, other) for other in dense]
        reasons = [pair.why_not for pair in possible if pair.why_not]
        if reasons or not possible:
            why = "; ".join(reasons) or "no dense model in this profile"
            refusals.append(Refusal(target, profile, mixture.arm, why))
        pairs += [pair for pair in possible if not pair.why_not]
    return pairs, refusals


def _unsound(runs: Sequence[Logged], metric: str) -> str:
    """Say why an arm cannot be compared at all; empty if it can."""
    finished = [run.record for run in runs if run.record.status == "finished"]
    if not finished:
        ended = Counter(run.record.status for run in runs)
        return "no run finished: " + ", ".join(f"{n} {status}" for status, n in ended.items())
    if not any(record.steps and record.tokens_per_second for record in finished):
        return "computed, not trained"
    if not all(metric in record.metrics for record in finished):
        return f"no {metric}"
    return mixed_arm(finished)


def _routes(runs: Sequence[Logged]) -> bool:
    """Say whether an arm is a mixture: it has inactive parameters, or logs routing metrics.

    Either alone is not enough: a mixture whose experts are all active has no inactive parameters,
    and a very short run logs nothing.
    """
    idle = any(run.record.params_active < run.record.params_total for run in runs)
    return idle or any(name.startswith(ROUTING) for run in runs for name in run.record.metrics)


def _side(arm: str, runs: Sequence[Logged], metric: str) -> Side:
    """Return the finished runs of an arm."""
    finished = {run.record.seed: run.record for run in runs if run.record.status == "finished"}
    return Side(arm, metric, finished, runs[0].data)
