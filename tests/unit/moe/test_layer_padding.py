"""What a layer does with padding: it gets no expert, no capacity, and zeros for an answer."""

import pytest
import torch
from torch import Tensor

from moebench.moe import Capacity, Limited
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import ReluMLP
from moebench.moe.experts.shared import GatedShared
from moebench.moe.layer import MoELayer
from moebench.moe.routers import ROUTERS, Switch

D = 16


@pytest.mark.parametrize("dispatcher", DISPATCHERS)
def test_a_layer_leaves_padding_out(dispatcher: str) -> None:
    """Two experts with a capacity of one token each: real tokens get it, padding does not."""
    torch.manual_seed(0)
    capacity = Capacity(factor=1.0, rounding="ceil")
    layer = MoELayer(
        Limited(D, lambda dim: Switch(dim, 2, jitter=0.0), capacity),
        ReluMLP(D, 2, hidden=8),
        DISPATCHERS[dispatcher](),
        shared=GatedShared(D, 8),
    )
    x_TD = torch.randn(6, D)
    x_TD[:4] = torch.nan  # a part that looked at them would show it
    real_T = torch.tensor([False, False, False, False, True, True])
    y_TD, decision = layer(x_TD, real_T)
    expected, alone = layer(x_TD[4:])
    assert not y_TD[:4].any()
    assert torch.equal(y_TD[4:], expected)
    assert decision.num_tokens == 2
    assert torch.equal(decision.kept_A, alone.kept_A)
    y_TD.sum().backward()
    assert all(p.grad is None or p.grad.isfinite().all() for p in layer.parameters())


@pytest.mark.parametrize(
    ("router", "dispatcher"),
    [
        *((name, "grouped") for name in ROUTERS),
        *(("top_k", name) for name in DISPATCHERS if name != "grouped"),
    ],
)
def test_every_layer_answers_padding_alone_with_zeros(router: str, dispatcher: str) -> None:
    """And an empty batch with nothing; sixteen experts leave every group of a hierarchy four."""
    layer = MoELayer(ROUTERS[router](D, 16), ReluMLP(D, 16, hidden=8), DISPATCHERS[dispatcher]())
    layer.eval()
    for rows, real_T in ((3, torch.zeros(3, dtype=torch.bool)), (0, None)):
        y_TD, decision = layer(torch.full((rows, D), torch.nan), real_T)
        assert y_TD.shape == (rows, D)
        assert not y_TD.any()
        assert decision.num_tokens == 0
        assert decision.token_A.numel() == 0


@pytest.mark.parametrize("real_T", [torch.ones(5).bool(), torch.ones(6), torch.ones(6, 1).bool()])
def test_a_layer_refuses_a_mask_that_does_not_fit(real_T: Tensor) -> None:
    layer = MoELayer(Switch(D, 3), ReluMLP(D, 3, hidden=8), DISPATCHERS["grouped"]())
    with pytest.raises(ValueError, match=r"^real: is torch.*must be torch.bool of \(6,\)$"):
        layer(torch.randn(6, D), real_T)
