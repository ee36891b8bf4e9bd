"""Text from a model, one token after the other.

Source: nucleus sampling is Holtzman et al. 2019 (arXiv 1904.09751), section 3.1.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch
from torch import Tensor, nn

from moebench.models.mixtral_2024 import Mixtral


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn.

    Raises:
        ValueError: if a number is out of range.
    """

    temperature: float = 1.0  # divides the logits; 0: always the most probable token
    top_p: float = 1.0  # only the fewest tokens that together are at least so probable
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.temperature >= 0:
            raise ValueError(f"temperature={self.temperature}: must be at least 0")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p={self.top_p}: must be above 0 and at most 1")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed={self.seed}: must be at least 0 and below 2^63")

    def draw(self, logits_V: Tensor, generator: torch.Generator) -> int:
        """Return the id of the next token."""
        if self.temperature == 0:
            return int(logits_V.argmax())
        probs_V = (logits_V.float() / self.temperature).softmax(dim=-1)
        if self.top_p < 1:
            probs_V = nucleus(probs_V, self.top_p)
        return int(probs_V.cpu().multinomial(1, generator=generator))


DEFAULT = Sampling()


def nucleus(probs_V: Tensor, top_p: float) -> Tensor:
    """Return the probabilities with zero for all but the fewest that sum to at least `top_p`."""
    sorted_V, order_V = probs_V.sort(descending=True)
    before_V = sorted_V.cumsum(dim=-1) - sorted_V
    return torch.zeros_like(probs_V).scatter(0, order_V, sorted_V * (before_V < top_p))


def generate(
    network: nn.Module,
    prompt: Sequence[int],
    count: int,
    sampling: Sampling = DEFAULT,
    stop: frozenset[int] = frozenset(),
) -> Iterator[int]:
    """Yield up to `count` tokens that follow a prompt.

    A `Mixtral` reads each token once and remembers it; any other model reads the whole text anew
    for every token. Either way the tokens are the same.

    Args:
        network: in evaluation mode.
        prompt: ids, at least one.
        count: most tokens to draw.
        sampling: how they are drawn.
        stop: ids that end the text; they are not yielded.

    Raises:
        ValueError: for an empty prompt.
    """
    if not prompt:
        raise ValueError("prompt: is empty; give the model at least one token to go on from")
    generator = torch.Generator().manual_seed(sampling.seed)
    scores = reader(network, len(prompt) + count)
    new = list(prompt)
    for _ in range(count):
        # Not around the whole loop: a generator would leave the mode on between its tokens.
        with torch.inference_mode():
            token = sampling.draw(scores(new), generator)
        if token in stop:
            return
        yield token
        new = [token]


def reader(network: nn.Module, room: int) -> Callable[[Sequence[int]], Tensor]:
    """Return a function from the next ids of a text to the logits_V of the token after them.

    Args:
        network: the model.
        room: most tokens the text will have.
    """
    device = next(network.parameters()).device
    if isinstance(network, Mixtral):
        memories = network.remember(room)

        def remembering(ids: Sequence[int]) -> Tensor:
            input_BL = torch.tensor([ids], device=device)
            x_BLD, _ = network.read(input_BL, memories)
            return network.score(x_BLD[:, -1])[0]

        return remembering
    text: list[int] = []

    def rereading(ids: Sequence[int]) -> Tensor:
        text.extend(ids)
        input_BL = torch.tensor([text], device=device)
        output = network(SimpleNamespace(input_BL=input_BL, context_BL=None))
        logits_V: Tensor = output.prediction[0, -1]
        return logits_V

    return rereading
