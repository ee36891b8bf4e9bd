"""Text generation, one token at a time.

Source: nucleus sampling: Holtzman et al. 2019 (arXiv 1904.09751), section 3.1.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moebench.models.reader import reader

TINY = torch.finfo(torch.float32).tiny  # smaller divisors would count as 0


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn.

    Raises:
        ValueError: if a number is out of range.
    """

    temperature: float = 1.0  # divides the logits; 0: always the most probable token
    top_p: float = 1.0  # draw from the fewest tokens that together have this probability
    seed: int = 0  # of each text's own generator, so all texts of a batch draw alike

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < math.inf:
            raise ValueError(f"temperature={self.temperature}: must be at least 0 and finite")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p}: must be above 0 and at most 1")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed={self.seed}: must be at least 0 and below 2^63")

    def draw(self, logits_V: Tensor, generator: torch.Generator) -> int:
        """Return the id of the next token.

        Raises:
            ValueError: if the largest logit is not finite.
        """
        best = logits_V.float().max()
        if not best.isfinite():
            raise ValueError(f"model: its largest logit is {best.item()}, so it has diverged")
        if self.temperature == 0:
            return int(logits_V.argmax())
        probs_V = ((logits_V.float() - best) / max(self.temperature, TINY)).softmax(dim=-1)
        if self.top_p < 1:
            probs_V = nucleus(probs_V, self.top_p)
        return int(probs_V.cpu().multinomial(1, generator=generator))


DEFAULT = Sampling()


def nucleus(probs_V: Tensor, top_p: float) -> Tensor:
    """Return the probabilities, zero for all but the fewest that sum to at least `top_p`."""
    sorted_V, order_V = probs_V.sort(descending=True)
    before_V = sorted_V.cumsum(dim=-1) - sorted_V
    kept_V = (before_V < top_p) | (before_V == 0)  # the first even where top_p rounds to 0
    return torch.zeros_like(probs_V).scatter(0, order_V, sorted_V * kept_V)


def generate(
    network: nn.Module,
    prompt: Sequence[int],
    count: int,
    sampling: Sampling = DEFAULT,
    stop: frozenset[int] = frozenset(),
) -> Iterator[int]:
    """Yield up to `count` tokens that follow a prompt; see `generate_batch`.

    Raises:
        ValueError: for an empty prompt.
    """
    for [token] in generate_batch(network, [prompt], [count], sampling, stop):
        if token is not None:
            yield token


def generate_batch(
    network: nn.Module,
    prompts: Sequence[Sequence[int]],
    counts: Sequence[int],
    sampling: Sampling = DEFAULT,
    stop: frozenset[int] = frozenset(),
) -> Iterator[list[int | None]]:
    """Yield, step by step, the next token of every text; None for texts that have ended.

    A text gets the same tokens in a batch as by itself with the same seed, and with a KV cache as
    without. The cache is used where this holds: in a model that has one and whose routers decide
    token by token.

    Args:
        network: the model, in evaluation mode.
        prompts: ids, at least one each; they may differ in length.
        counts: most tokens to draw after each prompt.
        sampling: how tokens are drawn.
        stop: ids that end a text; they are not yielded.

    Raises:
        ValueError: for an empty prompt.
    """
    if not all(prompts):
        raise ValueError("prompt: is empty; give the model at least one token to start from")
    generators = [torch.Generator().manual_seed(sampling.seed) for _ in prompts]
    left = list(counts)
    new = [list(prompt) if most > 0 else [] for prompt, most in zip(prompts, left, strict=True)]
    scores = reader(network, max(map(len, prompts), default=0) + max(left, default=0))
    while any(new):
        rows = [row for row, ids in enumerate(new) if ids]
        # Not around the whole loop: a generator would leave the mode on between two tokens.
        with torch.inference_mode():
            logits_NV = scores(new)
            drawn = [
                sampling.draw(logits_V, generators[row])
                for row, logits_V in zip(rows, logits_NV, strict=True)
            ]
        tokens: list[int | None] = [None for _ in prompts]
        new = [[] for _ in prompts]
        for row, token in zip(rows, drawn, strict=True):
            if token in stop:
                continue
            tokens[row] = token
            left[row] -= 1
            new[row] = [token] if left[row] else []
        yield tokens
