"""From columns of results to the metrics of each seed."""

import torch

from reproductions.jacobs_1991.networks.results import by_seed


def test_results_by_hand() -> None:
    results = {
        "epochs": torch.tensor([10.0, 20.0, 3.0, 40.0]),
        "diverged": torch.tensor([0.0, 1.0, 1.0, 1.0]),
        "error/train": torch.tensor([0.5, float("nan"), float("nan"), float("inf")]),
    }
    first, second = by_seed([7, 8], [0.5, 8.0], results)
    assert (first.seed, first.status, first.steps) == (7, "finished", 13)
    assert first.metrics == {
        **{"step_0.5/epochs": 10.0, "step_8/epochs": 3.0},
        **{"step_0.5/diverged": 0.0, "step_8/diverged": 1.0, "step_0.5/error/train": 0.5},
    }
    assert (second.seed, second.status, second.steps) == (8, "diverged", 60)
    assert "step_8/error/train" not in second.metrics
