"""Runs of a mixture and of a dense model that may be compared, as training leaves them."""

from dataclasses import replace
from typing import Any

from moebench.comparison import Comparison, Pair
from moebench.evidence.record import RunRecord
from moebench.testing import verdicts
from moebench.tracking import Logged


def record(arm: str, seed: int, loss: float, **changes: Any) -> RunRecord:
    """A run of 100 steps of 10 tokens, with a straight curve from 5 to its loss."""
    metrics = {
        "valid/loss": loss,
        **{f"valid/loss@{s}": 5 + (loss - 5) * s / 100 for s in (50, 100)},
    }
    if not arm.startswith("dense"):
        metrics["route/dropped"] = 0.1
    given = verdicts.run(
        arm,
        seed,
        target="paper",
        profile="quick",
        hardware={"processor": "p", "cores": 2},
        data_hash="d",
        steps=100,
        tokens=1000,
        params_total=10 if arm.startswith("dense") else 40,
        params_active=10 if arm.startswith("dense") else 20,
        flops_per_token=20.0,
        seconds=10.0,
        tokens_per_second=100.0,
        metrics=metrics,
    )
    return replace(given, **changes)


def logged(*records: RunRecord, began: float = 0.0, **data: str) -> list[Logged]:
    return [Logged(one, began, {}, data) for one in records]


def only(comparison: Comparison) -> Pair:
    """The one pair of a comparison."""
    [pairs] = comparison.groups.values()
    [pair] = pairs
    return pair


DENSE = [record("dense", seed, 3.0) for seed in range(3)]
SPARSE = [record("sparse", seed, loss) for seed, loss in enumerate((2.8, 2.7, 2.9))]


LEAKY = replace(SPARSE[0], leaks="later tokens, other sequences")
MARKED = replace(LEAKY, planned={"flops_per_token": 20.5, "seconds_per_step": 0.1})
