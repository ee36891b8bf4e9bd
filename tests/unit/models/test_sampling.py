"""Drawing tokens: by hand, and what decides a text."""

import math

import pytest
import torch

from moebench.models import Decoder
from moebench.models.sampling import Sampling, generate, generate_batch, nucleus
from moebench.models.t5_blocks import Shape

from .fakes import V, small


def test_the_nucleus_is_the_fewest_tokens_that_suffice() -> None:
    probs_V = torch.tensor([0.1, 0.5, 0.15, 0.25])
    assert nucleus(probs_V, 0.5).tolist() == [0, 0.5, 0, 0]
    assert nucleus(probs_V, 0.6).tolist() == [0, 0.5, 0, 0.25]
    assert nucleus(probs_V, 0.01).tolist() == [0, 0.5, 0, 0]
    assert torch.equal(nucleus(probs_V, 1.0), probs_V)


def shares(sampling: Sampling, logits_V: torch.Tensor, draws: int = 1000) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.tensor([sampling.draw(logits_V, generator) for _ in range(draws)])
    return (drawn.bincount(minlength=len(logits_V)) / draws).tolist()


def test_temperature_and_top_p_give_the_right_shares() -> None:
    logits_V = torch.tensor([1.0, 4.0, 3.0]).log()
    assert shares(Sampling(), logits_V) == pytest.approx([1 / 8, 1 / 2, 3 / 8], abs=0.05)
    assert shares(Sampling(top_p=0.8), logits_V) == pytest.approx([0, 4 / 7, 3 / 7], abs=0.05)
    # A temperature of 1/2 squares the probabilities: 1, 16, 9.
    halved = shares(Sampling(temperature=0.5), logits_V)
    assert halved == pytest.approx([1 / 26, 16 / 26, 9 / 26], abs=0.05)
    assert shares(Sampling(temperature=0), logits_V) == [0, 1, 0]


@pytest.mark.parametrize("temperature", [5e-324, 1e-40, 1e-30, 1e30])
@pytest.mark.parametrize("top_p", [1e-300, 1.0])
def test_the_most_extreme_temperatures(temperature: float, top_p: float) -> None:
    logits_V = torch.tensor([-1e30, 2.0, 3.0, -torch.inf])
    certain = temperature < 1 or top_p < 1  # so that few draws show it
    found = shares(Sampling(temperature, top_p), logits_V, draws=50 if certain else 1000)
    if temperature < 1:
        assert found == [0, 0, 1, 0]
    elif top_p < 1:
        assert max(found) == 1
    else:
        # By then -1e30 is -1, and 2 and 3 are the same.
        share = 1 / (2 + math.exp(-1))
        assert found == pytest.approx([1 - 2 * share, share, share, 0], abs=0.05)


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


def test_drawing_leaves_gradients_on() -> None:
    drawing = generate(small("grouped"), [2, 3], 3)
    next(drawing)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
