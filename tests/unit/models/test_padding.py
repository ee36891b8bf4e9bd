"""Padding changes nothing: not what real tokens get, not losses, loads, capacity or gradients."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from moebench.models import Decoder, EncoderDecoder, LstmMoE, RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.latent_attention import Latent, LatentAttention
from moebench.models.lstm import LstmShape, ProjectedLstm, SigmoidMixture, SingleExpert
from moebench.models.padding import Padding
from moebench.models.rotary import RotaryEmbedding, Yarn
from moebench.models.t5_blocks import Shape
from moebench.moe import Sparse
from moebench.moe.experts import Linear, SwiGLU
from moebench.moe.experts.shared import GatedShared
from moebench.moe.losses import LoadBalance, ZLoss
from moebench.moe.metrics import METRICS
from moebench.moe.routers import Switch, TopK

V, B, L, D = 23, 4, 9, 16
SHAPE = Shape(width=D, layers=2, heads=2, hidden=24)
SPARSE = Sparse(lambda dim: TopK(dim, 4), lambda dim, count: SwiGLU(dim, count, 8), every=1)
PROJECTIONS = Sparse(lambda dim: Switch(dim, 3), Linear, every=2)


def decoder(
    attention: Callable[[int, int], nn.Module] = GroupedQueryAttention, **positions: Any
) -> RotaryDecoder:
    shape = DecoderShape(width=D, layers=2, heads=4, hidden=24)
    return RotaryDecoder(
        V,
        shape,
        SPARSE,
        shared=lambda dim: GatedShared(dim, 8),
        attention=attention,
        positions=RotaryEmbedding(**positions),
        initial_scale=4.0,
    )


def recurrent(middle: Callable[[int], nn.Module], **arguments: Any) -> LstmMoE:
    return LstmMoE(V, LstmShape(D), middle, **arguments)


def grouped(dim: int, heads: int) -> nn.Module:
    return GroupedQueryAttention(dim, heads, 2)


def latent(dim: int, heads: int) -> nn.Module:
    return LatentAttention(dim, heads, Latent(6, 5, 4, 2, 3))


MODELS: dict[str, Callable[[], nn.Module]] = {
    "grouped": lambda: decoder(grouped),
    "grouped, window": lambda: decoder(grouped, window=3),
    "grouped, yarn": lambda: decoder(grouped, yarn=Yarn(factor=4, first_context=8)),
    "latent": lambda: decoder(latent),
    "latent, window, interleaved": lambda: decoder(latent, window=3, interleaved=True),
    "switch": lambda: Decoder(V, SHAPE, SPARSE, PROJECTIONS, initial_scale=1.0),
    "t5": lambda: EncoderDecoder(V, SHAPE, SPARSE, PROJECTIONS, initial_scale=1.0),
    "lstm": lambda: recurrent(lambda d: SigmoidMixture(d, SPARSE.router, SPARSE.experts)),
    "lstm, dense": lambda: recurrent(
        lambda d: SingleExpert(d, 12), recurrent=lambda d: ProjectedLstm(d, 20)
    ),
}
MASKS = {
    "left": torch.arange(L) >= torch.tensor([[0], [3], [7], [8]]),
    "right": torch.arange(L) < torch.tensor([[9], [6], [2], [1]]),
    "holes": torch.rand(B, L, generator=torch.Generator().manual_seed(3)) > 0.4,
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


def ids(rows: int = B, length: int = L, seed: int = 1) -> Tensor:
    return torch.randint(V, (rows, length), generator=torch.Generator().manual_seed(seed))


def batch(model: nn.Module, input_BL: Tensor, **more: Any) -> Any:
    context_BL = ids(len(input_BL), 7, seed=2) if isinstance(model, EncoderDecoder) else None
    return SimpleNamespace(**{"input_BL": input_BL, "context_BL": context_BL, **more})


@pytest.mark.parametrize("side", MASKS)
def test_real_tokens_get_what_they_get_alone(model: nn.Module, side: str) -> None:
    """Whatever the padded ids are, and however each row is padded."""
    mask_BL, given = MASKS[side], batch(model, ids())
    for filler in (0, 5):
        given.input_BL = ids().masked_fill(~mask_BL, filler)
        found = model(SimpleNamespace(**vars(given), mask_BL=mask_BL))
        assert found.prediction.isfinite().all()
        for row, real_L in enumerate(mask_BL):
            alone = batch(model, given.input_BL[row, real_L][None])
            if given.context_BL is not None:
                alone.context_BL = given.context_BL[row][None]
            expected = model(alone).prediction[0]
            torch.testing.assert_close(
                found.prediction[row, real_L], expected, atol=1e-5, rtol=1e-5
            )


@pytest.mark.parametrize("side", MASKS)
def test_an_encoder_does_not_see_padding(side: str) -> None:
    torch.manual_seed(0)
    model, mask_BL, context_BL = MODELS["t5"]().eval(), MASKS[side], ids(seed=2)
    given = batch(model, ids(length=5), context_BL=context_BL, context_mask_BL=mask_BL)
    found = model(given)
    assert [d.num_tokens for d in found.decisions[:2]] == [int(mask_BL.sum())] * 2
    for row, real_L in enumerate(mask_BL):
        alone = batch(model, given.input_BL[row][None], context_BL=context_BL[row, real_L][None])
        expected = model(alone).prediction[0]
        torch.testing.assert_close(found.prediction[row], expected, atol=1e-5, rtol=1e-5)


def test_decisions_and_gradients_are_those_of_the_real_tokens(model: nn.Module) -> None:
    """One long row beside rows of padding alone: losses, loads and gradients of the long one."""
    mask_BL = torch.zeros(B, L, dtype=torch.bool)
    mask_BL[2, 1:] = True
    given = batch(model, ids(), mask_BL=mask_BL)
    alone = batch(model, given.input_BL[2, 1:][None])
    if given.context_BL is not None:
        given.context_mask_BL = torch.zeros_like(given.context_BL, dtype=torch.bool)
        given.context_mask_BL[2] = True
        alone.context_BL = given.context_BL[2][None]
    results = []
    for one, real in ((given, mask_BL), (alone, torch.ones(1, L - 1, dtype=torch.bool))):
        output = model(one)
        numbers = [metric(d) for d in output.decisions for metric in METRICS.values()]
        losses = [LoadBalance(), ZLoss()]
        numbers += [loss(d) for d in output.decisions for loss in losses]
        model.zero_grad()
        total = output.prediction[real].logsumexp(dim=-1).sum()
        sum([loss(d) for d in output.decisions for loss in losses], start=total).backward()
        gradients = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
        results.append((numbers, gradients))
    torch.testing.assert_close(*results, atol=1e-5, rtol=1e-4)


def test_a_mask_without_padding_equals_no_mask(model: nn.Module) -> None:
    given = batch(model, ids())
    masked = batch(model, ids(), mask_BL=torch.ones(B, L, dtype=torch.bool))
    expected = model(given).prediction
    torch.testing.assert_close(model(masked).prediction, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 3), (0, 3), (2, 0)])
def test_batches_without_real_tokens_give_finite_numbers(
    model: nn.Module, shape: tuple[int, int]
) -> None:
    """A batch of padding alone and an empty one, gradients included."""
    nothing = torch.zeros(shape, dtype=torch.bool)
    for mask_BL in (nothing, None) if 0 in shape else (nothing,):
        given = batch(model, ids(*shape), mask_BL=mask_BL)
        if given.context_BL is not None:
            given.context_mask_BL = torch.zeros_like(given.context_BL, dtype=torch.bool)
        output = model(given)
        assert output.prediction.shape == (*shape, V)
        assert all(d.num_tokens == 0 for d in output.decisions)
        output.prediction.sum().backward()
        for tensor in [output.prediction, *(p.grad for p in model.parameters())]:
            assert tensor is None or tensor.isfinite().all()


@pytest.mark.parametrize(
    ("mask_BL", "words"),
    [
        (
            torch.ones(B, L - 1).bool(),
            r"mask_BL: has the shape \(4, 8\); must have that of the tokens, \(4, 9\)",
        ),
        (torch.ones(B * L).bool(), r"mask_BL: has the shape \(36,\)"),
        (torch.ones(B, L), r"mask_BL: is torch.float32; must be torch.bool"),
    ],
)
def test_masks_that_do_not_fit_are_refused(model: nn.Module, mask_BL: Tensor, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        model(batch(model, ids(), mask_BL=mask_BL))


def test_a_mask_of_the_context_that_does_not_fit_is_refused() -> None:
    model = MODELS["t5"]()
    with pytest.raises(ValueError, match=r"context_mask_BL: has the shape \(4, 9\)"):
        model(batch(model, ids(), context_mask_BL=torch.ones(B, L).bool()))


def test_real_tokens_move_to_the_left_and_back() -> None:
    mask_BL = torch.tensor([[False, True, False, True]])
    padding = Padding.of(mask_BL)
    moved = padding.left_align(torch.tensor([[7, 8, 9, 10]]))
    assert moved.tolist() == [[8, 10, 7, 9]]
    assert padding.mask_BL is not None
    assert padding.mask_BL.tolist() == [[True, True, False, False]]
    assert padding.restore(moved[..., None])[..., 0].tolist() == [[7, 8, 9, 10]]


def test_a_padded_row_stands_where_it_stands_alone() -> None:
    """And padding sees itself, so that no softmax is over nothing."""
    positions, like = RotaryEmbedding(window=2), torch.empty(0)
    mask_BL = torch.tensor([[False, True, True], [True, False, True]])
    padded, alone = positions.rotation(0, 3, 4, like, mask_BL), positions.rotation(0, 2, 4, like)
    for row, real_L in enumerate(mask_BL):
        assert torch.equal(padded.cos_LR[row, 0, real_L], alone.cos_LR)
        assert torch.equal(padded.sin_LR[row, 0, real_L], alone.sin_LR)
    assert padded.seen_LS is not None
    assert padded.seen_LS[:, 0].int().tolist() == [
        [[1, 0, 0], [0, 1, 0], [0, 1, 1]],
        [[1, 0, 0], [1, 1, 0], [1, 0, 1]],
    ]


def test_padded_tokens_are_read_in_parts_too() -> None:
    """With a cache, the mask covers all tokens so far."""
    for name in ("grouped", "grouped, window", "latent, window, interleaved"):
        torch.manual_seed(0)
        model = MODELS[name]().eval()
        assert isinstance(model, RotaryDecoder)
        mask_BL = MASKS["holes"]
        expected, _ = model.read(ids(), mask_BS=mask_BL)
        memories, pieces, end = model.kv_caches(L), [], 0
        for part_BL in ids().split([4, 1, 3, 1], dim=1):
            end += part_BL.shape[1]
            pieces.append(model.read(part_BL, memories, mask_BL[:, :end])[0])
        found = torch.cat(pieces, dim=1)
        torch.testing.assert_close(found[mask_BL], expected[mask_BL], atol=1e-5, rtol=1e-5)
    with pytest.raises(
        ValueError, match=r"mask_BL: has the shape \(4, 1\); must have that of the tokens"
    ):
        model.read(ids(length=1), memories, mask_BL[:, :1])
