"""Drawing tokens: by hand, with a cache and without, from runs and from checkpoints."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from moebench.models import Decoder, RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.latent_attention import Latent, LatentAttention
from moebench.models.reader import decides_alone, reader
from moebench.models.rotary import RotaryEmbedding
from moebench.models.sampling import Sampling, generate, generate_batch, nucleus
from moebench.models.t5_blocks import Shape
from moebench.moe import Capacity, Limited, RoutingDecision, Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.routers import Hierarchical, Tempered, TopK

V = 29


def test_the_nucleus_is_the_fewest_tokens_that_suffice() -> None:
    probs_V = torch.tensor([0.1, 0.5, 0.15, 0.25])
    assert nucleus(probs_V, 0.5).tolist() == [0, 0.5, 0, 0]
    assert nucleus(probs_V, 0.6).tolist() == [0, 0.5, 0, 0.25]
    assert nucleus(probs_V, 0.01).tolist() == [0, 0.5, 0, 0]
    assert torch.equal(nucleus(probs_V, 1.0), probs_V)


def shares(sampling: Sampling, logits_V: torch.Tensor, draws: int = 4000) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.tensor([sampling.draw(logits_V, generator) for _ in range(draws)])
    return (drawn.bincount(minlength=len(logits_V)) / draws).tolist()


def test_temperature_and_top_p_give_the_right_shares() -> None:
    logits_V = torch.tensor([1.0, 4.0, 3.0]).log()
    assert shares(Sampling(), logits_V) == pytest.approx([1 / 8, 1 / 2, 3 / 8], abs=0.03)
    assert shares(Sampling(top_p=0.8), logits_V) == pytest.approx([0, 4 / 7, 3 / 7], abs=0.03)
    # A temperature of 1/2 squares the probabilities: 1, 16, 9.
    halved = shares(Sampling(temperature=0.5), logits_V)
    assert halved == pytest.approx([1 / 26, 16 / 26, 9 / 26], abs=0.03)
    assert shares(Sampling(temperature=0), logits_V) == [0, 1, 0]


@pytest.mark.parametrize("temperature", [5e-324, 1e-40, 1e-30, 1e30])
@pytest.mark.parametrize("top_p", [1e-300, 1.0])
def test_the_most_extreme_temperatures(temperature: float, top_p: float) -> None:
    logits_V = torch.tensor([-1e30, 2.0, 3.0, -torch.inf])
    certain = temperature < 1 or top_p < 1  # so that few draws show it
    found = shares(Sampling(temperature, top_p), logits_V, draws=50 if certain else 4000)
    if temperature < 1:
        assert found == [0, 0, 1, 0]
    elif top_p < 1:
        assert max(found) == 1
    else:
        # By then -1e30 is -1, and 2 and 3 are the same.
        share = 1 / (2 + math.exp(-1))
        assert found == pytest.approx([1 - 2 * share, share, share, 0], abs=0.03)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_model_that_diverged_generates_nothing(bad: float, temperature: float) -> None:
    model = small("grouped")
    with torch.no_grad():
        model.output.weight[3] = bad
    with pytest.raises(ValueError, match=r"its largest logit is (nan|inf), so it has diverged"):
        list(generate(model, [1, 2], 3, Sampling(temperature)))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sampling(temperature=-1), "temperature=-1"),
        (lambda: Sampling(temperature=float("nan")), "temperature=nan"),
        (lambda: Sampling(temperature=float("inf")), "temperature=inf: must be .* finite"),
        (lambda: Sampling(top_p=0), "top_p=0"),
        (lambda: Sampling(top_p=1.1), "top_p=1.1"),
        (lambda: Sampling(seed=-1), "seed=-1"),
        (lambda: list(generate(small("grouped"), [], 3)), "prompt: is empty"),
        (lambda: list(generate_batch(small("grouped"), [[1], []], [3, 3])), "prompt: is empty"),
    ],
)
def test_bad_numbers_are_refused(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


ATTENTION = {
    "grouped": lambda dim, heads: GroupedQueryAttention(dim, heads, 2),
    "latent": lambda dim, heads: LatentAttention(dim, heads, Latent(6, 5, 4, 2, 3)),
}


def small(attention: str, window: int | None = None) -> RotaryDecoder:
    torch.manual_seed(0)
    return RotaryDecoder(
        V,
        DecoderShape(width=16, layers=2, heads=4, hidden=24),
        Sparse(lambda d: TopK(d, 4), lambda d, n: SwiGLU(d, n, 8), every=1),
        attention=ATTENTION[attention],
        positions=RotaryEmbedding(window=window),
        initial_scale=4.0,
    ).eval()


class Forgetful(nn.Module):
    """Another model, without its cache."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, batch: object) -> object:
        return self.inner(batch)


@pytest.mark.parametrize("window", [None, 4])
@pytest.mark.parametrize("attention", ATTENTION)
def test_with_a_cache_the_text_is_the_same(attention: str, window: int | None) -> None:
    model = small(attention, window)
    prompt, sampling = [3, 1, 4, 1, 5], Sampling(0.9, 0.95, seed=7)
    remembered = list(generate(model, prompt, 20, sampling))
    assert remembered == list(generate(Forgetful(model), prompt, 20, sampling))
    assert len(set(remembered)) > 3  # a text that hangs would prove little
    readers = [reader(network, 25) for network in (model, Forgetful(model))]
    for token in [[3, 1, 4], [1], [5], *([token] for token in remembered)]:
        ours, other = (read([token]) for read in readers)
        torch.testing.assert_close(ours, other, atol=1e-5, rtol=1e-5)


class Cached(nn.Module):
    """A custom model that reads with a cache and cannot read a whole text."""

    def __init__(self, inner: RotaryDecoder) -> None:
        super().__init__()
        self.inner = inner
        self.kv_caches, self.read, self.score = inner.kv_caches, inner.read, inner.score


def test_a_custom_model_reads_with_its_cache() -> None:
    model, prompt = limited(4.0), [3, 1, 4, 1, 5]
    assert list(generate(Cached(model), prompt, 5)) == list(generate(model, prompt, 5))


def limited(factor: float, seed: int = 0, **more: Any) -> RotaryDecoder:
    """A mixture whose experts have a small capacity outside training."""
    torch.manual_seed(seed)
    capacity = Capacity(factor=factor, minimum=1, **more)
    router: Callable[[int], nn.Module] = partial(
        Limited, router=lambda d: TopK(d, 4), capacity=Capacity(), eval_capacity=capacity
    )
    return RotaryDecoder(
        V,
        DecoderShape(width=16, layers=2, heads=4, hidden=24),
        Sparse(router, lambda d, n: SwiGLU(d, n, 8), every=1),
        initial_scale=4.0,
    ).eval()


@pytest.mark.parametrize("priority", ["choice", "position"])
def test_capacity_leaves_the_tokens_those_of_a_full_reading(priority: str) -> None:
    likeliest, moved = Sampling(temperature=0), 0
    for seed in range(6):
        model, text = limited(0.5, seed, priority=priority), [3, 1, 4, 1, 5]
        written = list(generate(model, text, 8, likeliest))
        for token in written:
            logits_V = model(SimpleNamespace(input_BL=torch.tensor([text]))).prediction[0, -1]
            assert token == int(logits_V.argmax())
            text = [*text, token]
        moved += written != list(generate(limited(4.0, seed), [3, 1, 4, 1, 5], 8, likeliest))
    assert moved > 3  # or room would not matter here


class Newest(nn.Module):
    """A custom router that sends every token where the last one goes."""

    num_experts = 4

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.inner = TopK(dim, 4)

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        return self.inner(x_TD[-1:].expand_as(x_TD))


def test_tokens_are_read_once_if_routers_decide_token_by_token() -> None:
    def decides(router: Callable[[int], nn.Module]) -> bool:
        return decides_alone(Sparse(router, lambda d, n: SwiGLU(d, n, 8)).build(16))

    assert decides(partial(Tempered, router=lambda d: TopK(d, 4)))
    assert decides(lambda d: Hierarchical(d, 16))
    assert decides_alone(limited(4.0))  # room for everybody
    assert not decides_alone(limited(3.9))
    assert not decides(Newest)
    assert not decides(partial(Tempered, router=Newest))


PROMPTS = [[3, 1, 4, 1, 5], [9], [2, 6], [5, 3, 5, 8, 9, 7, 9, 3]]
NETWORKS = {
    "grouped": lambda: small("grouped"),
    "grouped, window": lambda: small("grouped", 4),
    "latent": lambda: small("latent"),
    "latent, window": lambda: small("latent", 4),
    "without memory": lambda: Decoder(V, Shape(16, 2, 2, 24), initial_scale=4.0).eval(),
    "capacity": lambda: limited(0.5),
}


@pytest.mark.parametrize("sampling", [Sampling(temperature=0), Sampling(0.9, 0.95, seed=7)])
@pytest.mark.parametrize("network", NETWORKS)
def test_texts_written_together_are_those_written_alone(network: str, sampling: Sampling) -> None:
    """Unequal prompts, and texts that end at different times."""
    torch.manual_seed(0)
    model = NETWORKS[network]()
    counts, stop = [12, 15, 0, 15], frozenset([7, 11])
    expected = [
        list(generate(model, prompt, count, sampling, stop))
        for prompt, count in zip(PROMPTS, counts, strict=True)
    ]
    together: list[list[int]] = [[] for _ in PROMPTS]
    for step in generate_batch(model, PROMPTS, counts, sampling, stop):
        for text, token in zip(together, step, strict=True):
            text += [] if token is None else [token]
    assert together == expected
    assert len({len(text) for text in expected}) > 1


def test_texts_read_together_get_the_scores_they_get_alone() -> None:
    for network in ("grouped, window", "latent"):
        model = NETWORKS[network]()
        read, alone = reader(model, 20), [reader(model, 20) for _ in PROMPTS]
        for new in (PROMPTS, [[1], [2], [3], [4]], [[5], [], [6], [7]], [[], [], [8], [9]]):
            expected = [own([ids])[0] for own, ids in zip(alone, new, strict=True) if ids]
            torch.testing.assert_close(read(new), torch.stack(expected), atol=1e-5, rtol=1e-5)


def test_seeds_decide_and_nothing_else() -> None:
    model = small("grouped")

    def text(seed: int) -> list[int]:
        return list(generate(model, [2, 3], 20, Sampling(seed=seed)))

    first = text(1)
    torch.manual_seed(5)
    assert text(1) == first
    assert text(2) != first


def test_a_text_ends_where_it_should() -> None:
    model = small("grouped")
    free = list(generate(model, [2, 3], 20, Sampling(seed=1)))
    stop = free[4]
    stopped = list(generate(model, [2, 3], 20, Sampling(seed=1), frozenset([stop])))
    assert stopped == free[: free.index(stop)]


def test_a_decoder_without_a_cache_generates_too() -> None:
    torch.manual_seed(0)
    model = Decoder(V, Shape(width=16, layers=2, heads=2, hidden=24)).eval()
    assert len(list(generate(model, [2, 3], 5))) == 5


def test_drawing_leaves_gradients_on(tmp_path: Path) -> None:
    drawing = generate(small("grouped"), [2, 3], 3)
    next(drawing)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
