"""What the parts see of autocast: the same whether they are compiled or not."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from moebench.moe.autocast import autocast_dtype, without_autocast


def products(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return a product in the dtype of autocast, and one without autocast."""
    with without_autocast(x):
        own = x @ x
    wanted = x.to(autocast_dtype(x) or x.dtype)
    return wanted @ wanted, own


@pytest.mark.parametrize(
    "compiled", [lambda function: function, partial(torch.compile, backend="eager")]
)
def test_autocast_is_seen_and_left_compiled_or_not(compiled: Callable) -> None:
    torch.compiler.reset()
    found = compiled(products)
    for dtype in (torch.bfloat16, torch.float16):
        with torch.autocast("cpu", dtype):
            assert [y.dtype for y in found(torch.ones(2, 2))] == [dtype, torch.float32]
    assert [y.dtype for y in found(torch.ones(2, 2))] == [torch.float32] * 2


def test_shapes_alone_have_no_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert autocast_dtype(torch.ones(2, 2, device="meta")) is None
