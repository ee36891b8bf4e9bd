"""The next token, and the ones after it: temperature, and the nucleus of the likeliest.

Source: Holtzman et al. 2020 (arXiv 1904.09751), section 3.1, for the nucleus.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from moebench.models.mixtral_2024 import Mixtral


class Sampler:
    """Chooses a token from its logits; equal seeds choose alike.

    Args:
        temperature: that logits are divided by; 0 takes the likeliest token always.
        top_p: only the likeliest tokens, whose chances come to at least this, are drawn from.
        seed: of the draws.

    Raises:
        ValueError: for a number out of range.
    """

    def __init__(self, temperature: float = 1.0, top_p: float = 1.0, seed: int = 0) -> None:
        if not temperature >= 0:
            raise ValueError(f"temperature={temperature}: must not be negative")
        if not 0 < top_p <= 1:
            raise ValueError(f"top_p={top_p}: must be above 0 and at most 1")
        if not 0 <= seed < 2**63:
            raise ValueError(f"seed={seed}: must be at least 0 and below 2^63")
        self.temperature = temperature
        self.top_p = top_p
        self.generator = torch.Generator().manual_seed(seed)

    def __call__(self, logits_V: Tensor) -> int:
        """Return the token."""
        logits_V = logits_V.detach().float().cpu()
        if self.temperature == 0:
            return int(logits_V.argmax())
        chance_V, token_V = (logits_V / self.temperature).softmax(-1).sort(descending=True)
        # A token is in if those before it do not come to top_p yet: the first always is.
        chance_V = chance_V.masked_fill(chance_V.cumsum(0) - chance_V >= self.top_p, 0.0)
        return int(token_V[torch.multinomial(chance_V, 1, generator=self.generator)])


class Ids(NamedTuple):
    """A batch of one text, for models that read batches."""

    input_BL: Tensor
    context_BL: Tensor | None = None


@torch.no_grad()
def continuation(
    model: nn.Module, prompt: Sequence[int], count: int, choose: Callable[[Tensor], int]
) -> Iterator[int]:
    """Yield at most `count` tokens that follow a prompt.

    A `Mixtral` remembers keys and values; other models read the whole text for every token.

    Raises:
        ValueError: for an empty prompt.
    """
    if not prompt:
        raise ValueError("prompt: has no token; at least one is needed to begin with")
    device = next(model.parameters()).device
    memories = model.remember(len(prompt) + count) if isinstance(model, Mixtral) else None
    text, unread = list(prompt), list(prompt)
    for _ in range(count):
        if isinstance(model, Mixtral):
            x_BLD, _ = model.read(torch.tensor([unread], device=device), memories)
            logits_V = model.score(x_BLD[0, -1])
        else:
            logits_V = model(Ids(torch.tensor([text], device=device))).prediction[0, -1]
        token = choose(logits_V)
        text.append(token)
        unread = [token]
        yield token
