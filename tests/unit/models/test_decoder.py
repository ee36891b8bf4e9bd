"""The decoder: sizes of published models, what a token sees, its cache, and its dense twin."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from moebench.models import RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import AttentionScore, GroupedQueryAttention, QueryKeyNorm
from moebench.models.latent_attention import Latent, LatentAttention
from moebench.models.rotary import RotaryEmbedding, Yarn
from moebench.moe import Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.experts.shared import GatedShared
from moebench.moe.routers import TopK

V, L = 23, 12
SHAPE = DecoderShape(width=16, layers=3, heads=4, hidden=24)


def sparse(experts: int = 4, k: int = 2, hidden: int = 8, every: int = 1) -> Sparse:
    return Sparse(
        router=lambda dim: TopK(dim, experts, k),
        experts=lambda dim, count: SwiGLU(dim, count, hidden),
        every=every,
    )


def small(**arguments: object) -> RotaryDecoder:
    torch.manual_seed(0)
    return RotaryDecoder(V, **{"shape": SHAPE, "sparse": sparse(), **arguments}).eval()


def ids(batch: int = 2, length: int = L) -> torch.Tensor:
    return torch.randint(V, (batch, length), generator=torch.Generator().manual_seed(1))


def logits(model: RotaryDecoder, input_BL: torch.Tensor) -> torch.Tensor:
    return model(SimpleNamespace(input_BL=input_BL, context_BL=None)).prediction


ATTENTIONS = {
    "many": GroupedQueryAttention,
    "grouped": lambda dim, heads: GroupedQueryAttention(dim, heads, kv_heads=2),
    "wide heads": lambda dim, heads: GroupedQueryAttention(dim, heads, 1, 8, bias=True),
    "norm of heads": lambda dim, heads: GroupedQueryAttention(
        dim, heads, norm=QueryKeyNorm("head")
    ),
    "norm of all": lambda dim, heads: GroupedQueryAttention(dim, heads, norm=QueryKeyNorm("width")),
    "norm after the turn": lambda dim, heads: GroupedQueryAttention(
        dim, heads, norm=QueryKeyNorm("head", turned=True)
    ),
    "half turned": lambda dim, heads: GroupedQueryAttention(
        dim, heads, 2, 8, comparison=AttentionScore(turned=4)
    ),
    "scaled": lambda dim, heads: GroupedQueryAttention(
        dim, heads, 2, comparison=AttentionScore(scale=2.0)
    ),
    "latent": lambda dim, heads: LatentAttention(dim, heads, Latent(6, 5, 4, 2, 3)),
    "latent, queries direct": lambda dim, heads: LatentAttention(
        dim, heads, Latent(6, None, 4, 2, 3)
    ),
}
POSITIONS = {
    "all": RotaryEmbedding(),
    "window": RotaryEmbedding(window=3),
    "interleaved": RotaryEmbedding(interleaved=True),
    "yarn": RotaryEmbedding(yarn=Yarn(factor=4, first_context=8, attention=1.1)),
}


TOGETHER = pytest.mark.parametrize(
    ("attention", "positions"),
    [
        *((attention, "all") for attention in ATTENTIONS),
        *((attention, kind) for attention in ("grouped", "latent") for kind in list(POSITIONS)[1:]),
    ],
)


@TOGETHER
def test_reading_in_parts_is_reading_at_once(attention: str, positions: str) -> None:
    """A prompt, some tokens together, then one by one: the same logits and the same routing."""
    model = small(attention=ATTENTIONS[attention], positions=POSITIONS[positions])
    input_BL = ids()
    expected, decisions = model.read(input_BL)
    memories = model.kv_caches(L)
    pieces = [model.read(part, memories)[0] for part in input_BL.split([4, 3, 1, 1, 1, 1, 1], 1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), expected, atol=1e-5, rtol=1e-5)
    assert len(decisions) == SHAPE.layers


@TOGETHER
def test_no_token_sees_a_later_one(attention: str, positions: str) -> None:
    model = small(attention=ATTENTIONS[attention], positions=POSITIONS[positions])
    input_BL = ids()
    changed = input_BL.clone()
    changed[:, 7:] = (changed[:, 7:] + 1) % V
    before, after = logits(model, input_BL), logits(model, changed)
    torch.testing.assert_close(before[:, :7], after[:, :7])
    assert not torch.allclose(before[:, 7:], after[:, 7:])


def test_a_window_hides_what_is_too_far() -> None:
    """With one layer of window 3, a token depends on itself and two before it."""
    shape = DecoderShape(width=16, layers=1, heads=4, hidden=24)
    model = small(shape=shape, sparse=None, positions=RotaryEmbedding(window=3))
    input_BL = ids()
    changed = input_BL.clone()
    changed[:, 5] = (changed[:, 5] + 1) % V
    moved = (logits(model, input_BL) - logits(model, changed)).abs().amax((0, 2)) > 1e-6
    assert moved.tolist() == [place in (5, 6, 7) for place in range(L)]


def test_only_distances_matter() -> None:
    """Rotary positions: a text moved by some places attends as before."""
    torch.manual_seed(0)
    attention = GroupedQueryAttention(16, 4, 2)
    x_BLD = torch.randn(1, 5, 16)
    places = [RotaryEmbedding().rotation(start, 5, 4, x_BLD) for start in (0, 100)]
    scores = []
    for place in places:
        query, key = (
            place.rotate(attention._heads(attention.get_submodule(name)(x_BLD)))
            for name in ("query", "key")
        )
        scores.append(query[:, :2] @ key.transpose(-1, -2))
    torch.testing.assert_close(scores[0], scores[1], atol=1e-4, rtol=1e-4)


def test_sparse_and_dense_layers_are_where_the_shape_says() -> None:
    shape = DecoderShape(width=16, layers=6, heads=4, hidden=24, dense_layers=2)
    model = small(shape=shape, sparse=sparse(every=2), shared=lambda dim: GatedShared(dim, 8))
    names = {name.split(".")[1] for name, _ in model.named_parameters() if "router" in name}
    assert names == {"3", "5"}  # counted from 0: the fourth and the sixth
    assert len(model(SimpleNamespace(input_BL=ids(), context_BL=None)).decisions) == 2
    assert sum("shared.gate" in name for name, _ in model.named_parameters()) == 2


def test_tied_embeddings_score_the_tokens() -> None:
    shape = DecoderShape(width=16, layers=1, heads=4, hidden=24, tied=True)
    model = small(shape=shape)
    assert not [name for name, _ in model.named_parameters() if name.startswith("output")]
    x_BLD, _ = model.read(ids())
    torch.testing.assert_close(model.score(x_BLD), x_BLD @ model.embedding.weight.T)


def test_every_parameter_gets_a_gradient() -> None:
    model = small(
        shared=lambda dim: GatedShared(dim, 8),
        attention=lambda dim, heads: LatentAttention(dim, heads, Latent(6, 5, 4, 2, 3)),
    )
    logits(model, ids(4)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name


def compared(dim: int, heads: int, **how: object) -> nn.Module:
    return GroupedQueryAttention(dim, heads, comparison=AttentionScore(**how))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": DecoderShape(layers=2), "sparse": sparse(every=3)}, "sparse.every=3"),
        ({"shape": DecoderShape(width=30)}, "shape.width=30"),
        ({"shape": DecoderShape(width=20)}, "head_width=5"),
        ({"attention": lambda d, h: GroupedQueryAttention(d, h, kv_heads=3)}, "kv_heads=3"),
        ({"attention": lambda d, h: compared(d, h, turned=3)}, r"comparison\.turned=3"),
        ({"attention": lambda d, h: compared(d, h, turned=64)}, r"comparison\.turned=64"),
        ({"attention": lambda d, h: compared(d, h, scale=0.0)}, r"comparison\.scale=0\.0"),
    ],
)
def test_impossible_sizes_are_refused(arguments: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        small(**arguments)


def test_a_cache_refuses_what_does_not_fit() -> None:
    model = small()
    with pytest.raises(ValueError, match="12 tokens do not fit, it holds 8 at most"):
        model.read(ids(), model.kv_caches(8))
