"""The driver of a sweep on nodes in virtual time, which is `benchmarks.virtual_cluster` in small.

That it is cheap, the full size shows; that no trial is lost or doubled, a few do.
"""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import virtual_cluster
from benchmarks.virtual_cluster import VirtualCluster, drive
from moebench.experiment import DataStamp
from moebench.sweeps import read_sweep
from moebench.sweeps.storage import JOURNAL

TRIALS, NODES = 60, 12
CREATE, CHANGE = 4, 6  # operations in Optuna's journal, the latter of a trial's state


@pytest.mark.parametrize("pruner", ["NopPruner", "MedianPruner"])
def test_no_trial_is_lost_or_doubled(
    pruner: str, sweep_file: Callable[..., Path], tmp_path: Path, monkeypatch
) -> None:
    """A fifth of the runs fail, half of them with their node."""
    monkeypatch.setattr(virtual_cluster, "FAILURES", 0.2)
    sweep = read_sweep(sweep_file(trials=TRIALS, sampler="TPESampler", pruner=pruner, baselines=[]))
    cluster = VirtualCluster(NODES)
    found = drive(
        replace(sweep, data=DataStamp("d", 1), fresh_seeds=0), cluster, tmp_path / "sweep"
    )
    assert found.trials.total() == TRIALS
    assert "RUNNING" not in found.trials
    assert "WAITING" not in found.trials
    assert (found.trials["PRUNED"] > 0) == (pruner == "MedianPruner")
    assert cluster.lost > 0
    assert found.trials["COMPLETE"] < TRIALS
    again = cluster.submitted.total() - TRIALS
    assert 0 < again <= cluster.lost
    assert set(cluster.submitted) == {f"trial_{number}" for number in range(TRIALS)}
    assert max(cluster.submitted.values()) == 2, "made up for once"
    lines = [json.loads(one) for one in (tmp_path / "sweep" / JOURNAL).read_text().splitlines()]
    assert sum(line["op_code"] == CREATE for line in lines) == TRIALS
    told = Counter(line["trial_id"] for line in lines if line["op_code"] == CHANGE)
    assert told == dict.fromkeys(range(TRIALS), 1)
    assert found.virtual < 1.5 * TRIALS / NODES * virtual_cluster.LONGEST
