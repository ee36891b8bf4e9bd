"""The decoder of 2024: its size as printed, its attention by brute force, its cache."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from moebench.cost import active_parameters, parameters
from moebench.models import CausalDecoder, EncoderDecoder
from moebench.models.blocks import Shape
from moebench.models.grouped_query import GroupedQueryAttention, Heads, LayerCache
from moebench.models.mixtral_2024 import DecoderShape, Shared, on_meta
from moebench.models.rotary import rotate, turns
from moebench.moe.experts import ReluMLP, SwiGLU
from moebench.moe.layer import MoELayer, Sparse
from moebench.moe.routers import SoftmaxTopK, Switch, TopK


def sparse(experts: int, k: int, hidden: int, every: int = 1) -> Sparse:
    return Sparse(
        partial(TopK, num_experts=experts, k=k), partial(SwiGLU, hidden=hidden), every=every
    )


def test_mixtral_8x7b_has_the_parameters_of_its_paper() -> None:
    """Table 1 of arXiv 2401.04088; 47 and 13 billion in its text."""
    model = on_meta(
        vocabulary=32_000,
        shape=DecoderShape(width=4096, layers=32, hidden=14_336),
        heads=Heads(32, 8, 128, theta=1e6),
        sparse=sparse(8, 2, 14_336),
    )
    attention = 4096 * 128 * (32 + 8 + 8 + 32)
    expert = 3 * 4096 * 14_336
    layer = attention + 8 * expert + 8 * 4096 + 2 * 4096
    assert parameters(model) == 32 * layer + 2 * 32_000 * 4096 + 4096 == 46_702_792_704
    assert active_parameters(model, k=2) == 46_702_792_704 - 32 * 6 * expert == 12_879_925_248


def test_others_come_to_what_they_are_known_by() -> None:
    """OLMoE 6.9 and 1.3 billion (arXiv 2409.02060), DeepSeekMoE 16.4 and 2.8 (arXiv 2401.06066)."""
    olmoe = on_meta(
        vocabulary=50_304,
        shape=DecoderShape(width=2048, layers=16, hidden=1024),
        heads=Heads(16, 16, 128, norm="all"),
        sparse=sparse(64, 8, 1024),
    )
    assert round(parameters(olmoe) / 1e9, 1) == 6.9
    assert round(active_parameters(olmoe, k=8) / 1e9, 1) == 1.3
    deepseek = on_meta(
        vocabulary=102_400,
        shape=DecoderShape(width=2048, layers=28, hidden=10_944),
        heads=Heads(16, 16, 128),
        sparse=sparse(64, 6, 1408),
        leading=1,
        shared=Shared(2 * 1408),
    )
    assert round(parameters(deepseek) / 1e9, 1) == 16.4
    assert round(active_parameters(deepseek, k=6) / 1e9, 1) == 2.8


def test_switch_c_has_a_trillion_and_a_half_and_uses_few_of_them() -> None:
    """Table 9 of arXiv 2101.03961: 1571 billion."""
    with torch.device("meta"):
        switch = Sparse(partial(Switch, num_experts=2048), partial(ReluMLP, hidden=6144), every=1)
        model = EncoderDecoder(32_128, Shape(2080, 15, 32, 6144), switch)
    assert round(parameters(model) / 1e9) == 1571
    assert active_parameters(model, k=1) < 2e9


@pytest.mark.parametrize("position", [0, 3])
def test_rotation_by_hand(position: int) -> None:
    """Two pairs, (0, 2) and (1, 3), turned by the position and by a tenth of it for theta = 100."""
    x = torch.tensor([1.0, 2.0, 3.0, 4.0])
    turned = rotate(x.view(1, 1, 1, 4), turns(position, 1, 4, 100.0, x.device)).flatten()
    pairs = [complex(1, 3) * torch.exp(torch.tensor(1j * position)).item()]
    pairs += [complex(2, 4) * torch.exp(torch.tensor(0.1j * position)).item()]
    expected = torch.tensor([pairs[0].real, pairs[1].real, pairs[0].imag, pairs[1].imag])
    torch.testing.assert_close(turned, expected)


def test_scores_depend_on_distance_alone() -> None:
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 8)

    def score(asks: int, answers: int) -> Tensor:
        turned = [
            rotate(x, turns(place, 1, 8, 1e4, x.device))
            for x, place in ((query, asks), (key, answers))
        ]
        return (turned[0] * turned[1]).sum()

    torch.testing.assert_close(score(7, 4), score(103, 100))
    assert not torch.allclose(score(7, 4), score(7, 5))


@pytest.mark.parametrize("window", [None, 1, 3])
@pytest.mark.parametrize("norm", ["none", "each", "all"])
def test_attention_by_brute_force(window: int | None, norm: Any) -> None:
    """One query at a time, over the keys it may see; heads 0 and 1 share the first key head."""
    torch.manual_seed(0)
    heads = Heads(4, 2, 6, window=window, bias=True, norm=norm)
    attention = GroupedQueryAttention(10, heads, 1e-6)
    for parameter in attention.parameters():
        nn.init.normal_(parameter)
    x_LD, turn = torch.randn(7, 10), turns(0, 7, 6, heads.theta, torch.device("cpu"))

    def split(linear: nn.Module, norm_of: nn.Module | None) -> Tensor:
        y_LD = linear(x_LD)
        y_LD = norm_of(y_LD) if norm == "all" and norm_of is not None else y_LD
        y_LHD = y_LD.unflatten(-1, (-1, 6))
        return norm_of(y_LHD) if norm == "each" and norm_of is not None else y_LHD

    query, key = (
        rotate(split(linear, of).transpose(0, 1)[None], turn)[0]
        for linear, of in (
            (attention.query, attention.query_norm),
            (attention.key, attention.key_norm),
        )
    )
    value = split(attention.value, None).transpose(0, 1)
    rows = []
    for place in range(7):
        first = 0 if window is None else max(0, place - window + 1)
        seen = slice(first, place + 1)
        gathered = [
            (query[head, place] @ key[head // 2, seen].T / 6**0.5).softmax(-1)
            @ value[head // 2, seen]
            for head in range(4)
        ]
        rows.append(attention.out(torch.cat(gathered)))
    found, _ = attention(x_LD[None], turn)
    torch.testing.assert_close(found[0], torch.stack(rows), atol=1e-5, rtol=1e-5)


def small(**changes: Any) -> CausalDecoder:
    torch.manual_seed(0)
    parts: dict[str, Any] = {
        "vocabulary": 20,
        "shape": DecoderShape(width=16, layers=3, hidden=24),
        "heads": Heads(4, 2, 6),
        "sparse": sparse(4, 2, 8),
    }
    return CausalDecoder(**{**parts, **changes}).eval()


@pytest.mark.parametrize("window", [None, 4])
@pytest.mark.parametrize("pieces", [[12], [5, 7], [1] * 12, [6, 1, 1, 4]])
def test_the_cache_changes_nothing(window: int | None, pieces: list[int]) -> None:
    model = small(heads=Heads(4, 2, 6, window=window))
    ids = torch.randint(20, (2, 12))
    whole = model.predict(ids).prediction
    caches = model.caches()
    found = [model.predict(part, caches).prediction for part in ids.split(pieces, dim=1)]
    torch.testing.assert_close(torch.cat(found, dim=1), whole, atol=1e-5, rtol=1e-5)
    assert {cache.length for cache in caches} == {12}


def test_a_cache_grows() -> None:
    cache = LayerCache()
    for place in range(9):
        key, value = cache.add(torch.full((1, 1, 1, 2), place), torch.full((1, 1, 1, 2), -place))
    assert key[0, 0, :, 0].tolist() == list(range(9))
    assert value[0, 0, :, 1].tolist() == [-place for place in range(9)]


def test_no_token_sees_a_later_one() -> None:
    model, ids = small(), torch.randint(20, (1, 10))
    changed = ids.clone()
    changed[0, 6] = (changed[0, 6] + 1) % 20
    before, after = (model.predict(x).prediction[0] for x in (ids, changed))
    assert torch.equal(before[:6], after[:6])
    assert not torch.equal(before[6:], after[6:])


def test_where_mixtures_are() -> None:
    def layers(**changes: Any) -> list[bool]:
        blocks = small(shape=DecoderShape(width=16, layers=4, hidden=24), **changes).blocks
        return [any(isinstance(m, MoELayer) for m in block.modules()) for block in blocks]

    assert layers() == [True] * 4
    assert layers(leading=2) == [False, False, True, True]
    assert layers(sparse=sparse(4, 2, 8, every=2)) == [False, True, False, True]
    assert layers(sparse=None) == [False] * 4


@pytest.mark.parametrize("gated", [False, True])
def test_shared_experts_add_their_answer(gated: bool) -> None:
    model = small(shared=Shared(8, gated))
    part = model.blocks[0].feed_forward
    x_BLD = torch.randn(2, 3, 16)
    routed, _ = part.mixture(x_BLD)
    scale = part.gate(x_BLD).sigmoid() if gated else 1.0
    torch.testing.assert_close(part(x_BLD)[0], routed + scale * part.shared(x_BLD))


def test_one_decision_a_mixture_and_gradients_everywhere() -> None:
    model = small(shared=Shared(8, gated=True), leading=1).train()
    output = model.predict(torch.randint(20, (2, 12)))
    assert len(output.decisions) == 2
    output.prediction.sin().sum().backward()
    missing = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert missing == []


def test_a_tied_embedding_scores_the_tokens() -> None:
    model = small(shape=DecoderShape(width=16, layers=1, hidden=24, tied=True))
    assert model.head is None
    untied = small(shape=DecoderShape(width=16, layers=1, hidden=24))
    assert parameters(untied) - parameters(model) == 20 * 16


def test_softmax_before_the_choice_is_another_model() -> None:
    rule = Sparse(partial(SoftmaxTopK, num_experts=4, k=2), partial(SwiGLU, hidden=8), every=1)
    ids = torch.randint(20, (1, 5))
    assert not torch.allclose(small().predict(ids)[0], small(sparse=rule).predict(ids)[0])


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Heads(4, 3, 8), "key_value_heads=3: must divide heads=4"),
        (lambda: Heads(4, 2, 7), "size=7: must be even"),
        (lambda: Heads(0, 1, 8), "heads.heads=0"),
        (lambda: Heads(4, 2, 8, window=0), "window=0"),
        (lambda: DecoderShape(layers=0), "shape.layers=0"),
        (lambda: DecoderShape(epsilon=0.0), "shape.epsilon=0"),
        (lambda: Shared(0), "shared.hidden=0"),
        (lambda: small(vocabulary=0), "vocabulary=0"),
        (lambda: small(leading=-1), "leading=-1"),
        (lambda: small(leading=3), "leading=3: leaves none of shape.layers=3"),
        (lambda: small(sparse=sparse(4, 2, 8, every=4)), "sparse.every=4, leading=0: leaves none"),
    ],
)
def test_impossible_sizes_are_refused(make: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        make()
