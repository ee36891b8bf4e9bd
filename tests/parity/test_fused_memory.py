"""What `fused` allocates, against a dense block of equal active size.

Its kernels are left out, as they allocate nothing: what is counted are the results of torch.
"""

import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

pytest.importorskip("triton", reason="triton is not installed: pip install moebench[gpu]")

from benchmarks.layer import DenseSwiGLU
from moebench.moe.decision import tokens_choose
from moebench.moe.dispatch import Fused
from moebench.moe.dispatch.fused import blocks, dispatcher, kernels
from moebench.moe.experts import SwiGLU

T = 256


class Allocated(TorchDispatchMode):
    """Counts the bytes of results that are alive, and the most there ever were."""

    def __init__(self, before: list[Tensor]) -> None:
        super().__init__()
        self.known = {part.untyped_storage()._cdata for part in before}
        self.now = self.most = 0

    def __torch_dispatch__(self, function: Any, _: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for part in result if isinstance(result, tuple | list) else [result]:
            if isinstance(part, Tensor) and part.untyped_storage()._cdata not in self.known:
                storage = part.untyped_storage()
                self.known.add(storage._cdata)
                self.now += storage.nbytes()
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self.freed, storage._cdata, storage.nbytes())
        return result

    def freed(self, key: int, size: int) -> None:
        """Take note that a result is gone."""
        self.known.discard(key)
        self.now -= size


def memory(layer: Callable[[Tensor], Tensor], before: list[Tensor]) -> tuple[int, int]:
    """Return the bytes kept for backward, and the peak of both passes."""
    with Allocated(before) as count:
        y_TD = layer(before[0])
        kept = count.now
        y_TD.backward(torch.ones_like(y_TD))
    return kept, count.most


@pytest.mark.parametrize(  # the shapes of the benchmark, each size an eighth
    ("dim", "hidden", "k"), [(256, 176, 6), (512, 1792, 2), (192, 32, 8), (256, 96, 8)]
)
def test_no_more_than_dense(dim: int, hidden: int, k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither kept nor at the peak, gradients of the weights aside."""
    monkeypatch.setattr(dispatcher, "usable", lambda device: True)
    monkeypatch.setattr(blocks, "COLUMNS", 32)
    monkeypatch.setattr(blocks, "SLICE", 1)
    launched: set[str] = set()

    class Stub(dict):
        def __missing__(self, _: object) -> Callable[..., None]:
            return lambda *_, **__: launched.add(self["name"])

    for name in ("gate_up", "product", "combine", "down_grad", "weight_grad"):
        monkeypatch.setattr(kernels, name, Stub(name=name))
    experts = SwiGLU(dim, 16, hidden).requires_grad_(False)
    dense = DenseSwiGLU(dim, k * hidden).requires_grad_(False)
    x_TD, scores_TE = torch.randn(T, dim, requires_grad=True), torch.randn(T, 16)
    decision = tokens_choose(scores_TE, scores_TE, scores_TE.topk(k)[1], torch.rand(T, k))
    given = [x_TD, *experts.parameters(), *dense.parameters(), decision.weight_A]
    ours = memory(lambda x: Fused()(x, decision, experts), given)
    theirs = memory(dense, given)
    assert launched == {"gate_up", "product", "combine", "down_grad"}
    assert ours[0] <= theirs[0]
    assert ours[1] <= 1.1 * theirs[1]
