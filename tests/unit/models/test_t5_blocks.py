"""Where the blocks of T5 drop features in training."""

import torch
from torch import Tensor, nn

from moebench.models.feed_forward import Dense
from moebench.models.t5_blocks import FeedForward, Mixtures, Residual, Shape, Stack


def halves(before: Tensor, after: Tensor) -> bool:
    """Whether `after` is `before` with some entries dropped and the others doubled."""
    kept = after != 0
    return bool(kept.any() and not kept.all()) and torch.allclose(after, 2 * before * kept)


def test_dropout_is_on_what_is_added_and_on_hidden_features() -> None:
    torch.manual_seed(0)
    x_BLD = torch.randn(1, 50, 16)
    residual = Residual(16, Dense(nn.Identity()), dropout=0.5)
    assert halves(residual.norm(x_BLD), residual(x_BLD)[0] - x_BLD)
    dense, seen = FeedForward(16, 24, dropout=0.5), []
    dense.down.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    dense(x_BLD)
    assert halves(dense.up(x_BLD).relu(), seen[0])


def test_dropout_is_before_the_first_and_after_the_last_block() -> None:
    torch.manual_seed(0)
    shape = Shape(width=16, layers=2, heads=2, hidden=24)
    stack, seen = Stack(shape, Mixtures(), 0.5, causal=True, cross_attention=False), []
    stack.blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    stack.norm.register_forward_hook(lambda _, args, result: seen.append(result))
    x_BLD = torch.randn(1, 50, 16)
    y_BLD, _ = stack(x_BLD)
    assert halves(x_BLD, seen[0])
    assert halves(seen[1], y_BLD)
