"""Runs of entries of the leaderboard."""

from typing import Any

from moebench.evidence.record import RunRecord
from moebench.testing import verdicts


def run(arm: str, seed: int, loss: float, **changes: Any) -> RunRecord:
    given = {"target": "sweeps", "config_hash": "h", "params_total": 1000, "flops_per_token": 10.0}
    return verdicts.run(arm, seed, loss, **{**given, **changes})


def runs(**losses: list[float]) -> dict[str, list[RunRecord]]:
    return {
        name: [run(name, seed, loss) for seed, loss in enumerate(of)] for name, of in losses.items()
    }
