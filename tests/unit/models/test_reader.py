"""Texts read with a cache and without, alone and together: the scores are the same."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from moebench.models import Decoder, RotaryDecoder
from moebench.models.reader import decides_alone, reader
from moebench.models.sampling import Sampling, generate, generate_batch
from moebench.models.t5_blocks import Shape
from moebench.moe import RoutingDecision, Sparse
from moebench.moe.experts import SwiGLU
from moebench.moe.routers import Hierarchical, Tempered, TopK

from .fakes import ATTENTION, V, limited, small


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


@pytest.mark.parametrize("priority", ["choice", "position"])
def test_capacity_leaves_the_tokens_those_of_a_full_reading(priority: str) -> None:
    likeliest, moved = Sampling(temperature=0), 0
    for seed in range(3):
        model, text = limited(0.5, seed, priority=priority), [3, 1, 4, 1, 5]
        written = list(generate(model, text, 8, likeliest))
        for token in written:
            logits_V = model(SimpleNamespace(input_BL=torch.tensor([text]))).prediction[0, -1]
            assert token == int(logits_V.argmax())
            text = [*text, token]
        moved += written != list(generate(limited(4.0, seed), [3, 1, 4, 1, 5], 8, likeliest))
    assert moved  # or room would not matter here


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
