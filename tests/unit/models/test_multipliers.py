"""Constant factors of a decoder, each against the same sum written out."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import AttentionScore, GroupedQueryAttention
from moebench.models.multipliers import Multipliers
from moebench.models.rotary import RotaryEmbedding
from moebench.models.t5_blocks import Residual

SHAPE = DecoderShape(width=16, layers=2, heads=4, hidden=24)
IDS = torch.randint(23, (2, 6), generator=torch.Generator().manual_seed(1))


def logits(multipliers: Multipliers, change: object = None) -> Tensor:
    torch.manual_seed(0)
    model = RotaryDecoder(23, replace(SHAPE, multipliers=multipliers))
    if change is not None:
        with torch.no_grad():
            change(model)
    return model.score(model.read(IDS)[0])


def test_embedded_tokens_are_multiplied() -> None:
    larger = logits(Multipliers(), lambda model: model.embedding.weight.mul_(3))
    torch.testing.assert_close(logits(Multipliers(embedding=3)), larger)


def test_logits_are_divided() -> None:
    torch.testing.assert_close(logits(Multipliers(logits=4)), logits(Multipliers()) / 4)


def test_residual_branches_are_multiplied() -> None:
    def weaker(model: RotaryDecoder) -> None:
        for block in model.blocks:
            block.attention.inner.out.weight.mul_(0.25)
            block.feed_forward.inner.block.expert.down_EFD.mul_(0.25)

    torch.testing.assert_close(logits(Multipliers(residual=0.25)), logits(Multipliers(), weaker))


def test_a_residual_of_factor_one_is_a_plain_sum_to_the_bit() -> None:
    class Double(nn.Module):
        def forward(self, x_BLD: Tensor) -> tuple[Tensor, list[object]]:
            return 2 * x_BLD, []

    torch.manual_seed(0)
    x_BLD = torch.randn(2, 3, 8)
    residual = Residual(8, Double(), 0.0)
    assert torch.equal(residual(x_BLD)[0], x_BLD + 2 * residual.norm(x_BLD))


def test_products_of_queries_and_keys_are_scaled() -> None:
    """As if all queries were longer: theirs is half of one over the root of four features."""
    x_BLD = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(2))
    place = RotaryEmbedding().rotation(0, 5, 4, x_BLD)
    scaled = GroupedQueryAttention(16, 4, comparison=AttentionScore(scale=0.25))
    plain = GroupedQueryAttention(16, 4)
    plain.load_state_dict(scaled.state_dict())
    with torch.no_grad():
        plain.query.weight.mul_(0.5)
    torch.testing.assert_close(scaled(x_BLD, place)[0], plain(x_BLD, place)[0])


@pytest.mark.parametrize("name", ["embedding", "residual", "logits"])
@pytest.mark.parametrize("value", [0.0, -1.0, float("inf"), float("nan")])
def test_bad_factors_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"multipliers\.{name}={value}: must be above 0"):
        Multipliers(**{name: value})
