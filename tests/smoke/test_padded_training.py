"""A whole run on windows of unequal length, their mask in the batch."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from moebench.data.contract import UNSCORED, TextBatch
from moebench.data.objectives import NextToken
from moebench.moe.layer import MoELayer
from moebench.run.job import Job
from moebench.run.worker import execute

LENGTH = 32


class Ragged:
    """Every window ends where chance wants it to; what stands behind is the filler."""

    def __init__(self, filler: int) -> None:
        self.filler = filler

    def width(self, length: int) -> int:
        return NextToken().width(length)

    def __call__(
        self, raw_BW: NDArray[np.int64], domain_B: NDArray[np.int64], rng: np.random.Generator
    ) -> TextBatch:
        batch = NextToken()(raw_BW, domain_B, rng)
        size_B = torch.from_numpy(rng.integers(4, LENGTH, len(raw_BW)))
        mask_BL = torch.arange(LENGTH) < size_B[:, None]
        return batch._replace(
            input_BL=batch.input_BL.masked_fill(~mask_BL, self.filler),
            target_BL=batch.target_BL.masked_fill(~mask_BL, UNSCORED),
            mask_BL=mask_BL,
        )


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest imports this file under a name that a configuration cannot hold."""
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


@pytest.mark.parametrize("config", ["switch_8.yaml", "mixtral_8.yaml"])
def test_a_run_does_not_notice_what_padding_is_made_of(
    config: str, tiny: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses, loads and drops are the same to the bit, and padding is never routed."""
    shares: list[float] = []
    inner = MoELayer.forward

    def forward(layer: MoELayer, x: torch.Tensor, real: torch.Tensor | None = None) -> Any:
        answer = inner(layer, x, real)
        shares.append(answer[1].num_tokens / x.shape[:-1].numel())
        return answer

    monkeypatch.setattr(MoELayer, "forward", forward)
    metrics = []
    for filler in (0, 7):
        objective = {"class_path": f"{__name__}.Ragged", "init_args": {"filler": filler}}
        experiment = tiny(config, {"data.init_args.objective": objective})
        folder = tmp_path / str(filler)
        record = execute(Job("target", "profile", "arm", 0, experiment, folder), [])
        error = folder / "error.txt"
        assert record.status == "finished", error.read_text() if error.exists() else ""
        metrics.append(record.metrics)
    assert metrics[0] == metrics[1]
    assert {"valid/loss", "route/dropped"} <= metrics[0].keys()
    assert not any(name.startswith("analysis/") for name in metrics[0])
    assert shares
    assert all(4 / LENGTH < share < 1 for share in shares)
