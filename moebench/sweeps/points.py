"""The records of a finished sweep for the claims of a paper, named after their points.

Claims do not know trial numbers. Here every trial gets the name of its point, such as
`balance/0.01`, and the sweep itself gets one record per seed with the share of the variance that
each name of its space explains, `share/<name>`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import json_of, read
from moebench.sweeps.arms import TrialArm
from moebench.sweeps.results import SUMMARY
from moebench.sweeps.space import Point

COMPUTED: dict[str, Any] = {
    "steps": 0,
    "tokens": 0,
    "seconds": 0.0,
    "tokens_per_second": 0.0,
    "peak_memory_bytes": 0,
}


def evidence(folder: Path, name: str, target: str, profile: str) -> list[RunRecord]:
    """Return the records of a sweep under the names that claims use.

    Args:
        folder: folder of the finished sweep.
        name: its name in the plan.
        target: the target whose claims are judged.
        profile: the profile they are judged in.
    """
    summary = json_of(folder / SUMMARY)
    trials = summary["trials"]
    first = summary.get("first_seed", 0)  # missing from the summaries of earlier sweeps
    seeds = range(first, first + summary["seeds"])
    arms = {TrialArm(one["number"]).name: arm_of(name, one["point"]) for one in trials}
    records = [
        replace(record, target=target, profile=profile, arm=arms[record.arm])
        for record in read(folder / "results.jsonl")
        if record.arm in arms and record.seed in seeds
    ]
    return [*records, *_shares(summary, records, name)]


def arm_of(name: str, point: Point) -> str:
    """Return the arm of a point: its values, in the order of the space."""
    values = (f"{value:g}" if isinstance(value, float) else str(value) for value in point.values())
    return f"{name}/{','.join(values)}"


def _shares(summary: dict[str, Any], records: list[RunRecord], name: str) -> Iterator[RunRecord]:
    """Yield one record per seed with the shares of the variance; computed, so it has no steps."""
    for seed, shares in summary["importances_by_seed"].items():
        of_seed = [record for record in records if record.seed == int(seed)]
        metrics = {f"share/{key}": value for key, value in shares.items()}
        yield replace(of_seed[0], arm=name, metrics={**metrics, "runs": len(of_seed)}, **COMPUTED)
