"""The decoder of today's mixtures: rotary positions, shared key heads, gated experts.

Source: Jiang et al. 2024, Mixtral (arXiv 2401.04088), section 2 and Table 1. With shared experts
and leading dense layers it is the decoder of DeepSeekMoE (arXiv 2401.06066, section 3.2), with
gated shared experts that of Qwen1.5-MoE. Without mixtures it is its own dense twin.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from moebench.models.grouped_query import GroupedQueryAttention, Heads, LayerCache
from moebench.models.initialise import draw_seed, initialise
from moebench.models.output import Output
from moebench.models.rotary import turns
from moebench.models.slot import Dense, Mixture
from moebench.moe.decision import RoutingDecision
from moebench.moe.layer import Sparse


@dataclass(frozen=True)
class DecoderShape:
    """The size of a decoder.

    Raises:
        ValueError: if a number is out of range.
    """

    width: int = 64  # D
    layers: int = 4
    hidden: int = 256  # F of dense feed-forward blocks
    epsilon: float = 1e-5  # under the root of the norms
    tied: bool = False  # whether the embedding also scores the tokens

    def __post_init__(self) -> None:
        for name in ("width", "layers", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"shape.{name}={getattr(self, name)}: must be at least 1")
        if not self.epsilon > 0:
            raise ValueError(f"shape.epsilon={self.epsilon}: must be above 0")


SHAPE, HEADS = DecoderShape(), Heads()


@dataclass(frozen=True)
class Shared:
    """Experts that every token meets, beside those that are chosen for it; in one block."""

    hidden: int  # F of all of them together
    gated: bool = False  # whether a learned number between 0 and 1 scales their answer

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"shared.hidden={self.hidden}: must be at least 1")


class GatedFeedForward(nn.Module):
    """The dense block (silu(x @ gate) * (x @ up)) @ down, without biases.

    Args:
        dim: width D of a token.
        hidden: width F between the products.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Linear(dim, hidden, bias=False)
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return y_BLD."""
        y_BLD: Tensor = self.down(silu(self.gate(x_BLD)) * self.up(x_BLD))
        return y_BLD


class WithShared(nn.Module):
    """A mixture, and a dense block that adds its answer for every token.

    Args:
        dim: width D of a token.
        mixture: the experts that are chosen.
        shared: those that are not.
    """

    def __init__(self, dim: int, mixture: Mixture, shared: Shared) -> None:
        super().__init__()
        self.mixture = mixture
        self.shared = GatedFeedForward(dim, shared.hidden)
        self.gate = nn.Linear(dim, 1, bias=False) if shared.gated else None

    def forward(self, x_BLD: Tensor) -> tuple[Tensor, list[RoutingDecision]]:
        """Return y_BLD and the decision of the mixture."""
        y_BLD, decisions = self.mixture(x_BLD)
        of_all_BLD = self.shared(x_BLD)
        if self.gate is not None:
            of_all_BLD = self.gate(x_BLD).sigmoid() * of_all_BLD
        return y_BLD + of_all_BLD, decisions


class DecoderBlock(nn.Module):
    """Attention, then feed-forward; each reads a normalised stream and adds to it.

    Args:
        shape: size of the model.
        heads: of attention.
        feed_forward: maps x_BLD to y_BLD and decisions.
    """

    def __init__(self, shape: DecoderShape, heads: Heads, feed_forward: nn.Module) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.attention = GroupedQueryAttention(shape.width, heads, shape.epsilon)
        self.feed_forward_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.feed_forward = feed_forward

    def forward(
        self, x_BLD: Tensor, turn: Tensor, cache: LayerCache | None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the stream after the block, and the decisions of its feed-forward."""
        gathered_BLD, _ = self.attention(self.attention_norm(x_BLD), turn, cache)
        x_BLD = x_BLD + gathered_BLD
        y_BLD, decisions = self.feed_forward(self.feed_forward_norm(x_BLD))
        return x_BLD + y_BLD, decisions


class CausalDecoder(nn.Module):
    """Predicts the next token.

    Args:
        vocabulary: number V of token ids.
        shape: size of the model.
        heads: of every attention.
        sparse: mixtures in the place of feed-forward blocks, in every n-th layer; None: dense.
        leading: number of first layers that stay dense.
        shared: experts beside every mixture that see all tokens; None: there are none.
        initial_scale: variance of initial weights times the fan-in.

    Raises:
        ValueError: if a number is out of range, or no layer is left for a mixture.
    """

    def __init__(
        self,
        vocabulary: int,
        shape: DecoderShape = SHAPE,
        heads: Heads = HEADS,
        sparse: Sparse | None = None,
        leading: int = 0,
        shared: Shared | None = None,
        initial_scale: float = 1.0,
    ) -> None:
        super().__init__()
        if vocabulary < 1:
            raise ValueError(f"vocabulary={vocabulary}: must be at least 1")
        if leading < 0:
            raise ValueError(f"leading={leading}: must not be negative")
        layers = range(1, shape.layers + 1)
        mixed = {n for n in layers if sparse and n > leading and n % sparse.every == 0}
        if sparse is not None and not mixed:
            raise ValueError(
                f"sparse.every={sparse.every}, leading={leading}: leaves none of "
                f"shape.layers={shape.layers} for a mixture"
            )
        seed = draw_seed()
        self.shape, self.heads, self.leading = shape, heads, leading
        self.every = sparse.every if sparse else 1
        self.embedding = nn.Embedding(vocabulary, shape.width)
        self.blocks = nn.ModuleList(
            DecoderBlock(shape, heads, feed_forward(shape, sparse if n in mixed else None, shared))
            for n in layers
        )
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.head = None if shape.tied else nn.Linear(shape.width, vocabulary, bias=False)
        initialise(self, seed, initial_scale)

    def forward(self, batch: Any) -> Output:
        """Return logits prediction_BLV for `batch.input_BL`, and a decision a mixture, by depth."""
        return self.predict(batch.input_BL)

    def predict(self, input_BL: Tensor, caches: list[LayerCache] | None = None) -> Output:
        """Return logits and decisions of the newest tokens.

        Args:
            input_BL: their ids, int64.
            caches: one a layer, of the tokens before them; they get these, too.
        """
        start = caches[0].length if caches else 0
        size, theta = self.heads.size, self.heads.theta
        turn = turns(start, input_BL.shape[1], size, theta, input_BL.device)
        x_BLD = self.embedding(input_BL)
        decisions: list[RoutingDecision] = []
        for number, block in enumerate(self.blocks):
            x_BLD, of_block = block(x_BLD, turn, caches[number] if caches else None)
            decisions += of_block
        weight_VD = self.embedding.weight if self.head is None else self.head.weight
        return Output(nn.functional.linear(self.norm(x_BLD), weight_VD), decisions)

    def caches(self) -> list[LayerCache]:
        """Return empty caches for `predict`."""
        return [LayerCache() for _ in self.blocks]


def feed_forward(
    shape: DecoderShape, sparse: Sparse | None, shared: Shared | None
) -> Dense | Mixture | WithShared:
    """Return the feed-forward of one layer: dense, a mixture, or one with shared experts."""
    if sparse is None:
        return Dense(GatedFeedForward(shape.width, shape.hidden))
    mixture = Mixture(sparse.build(shape.width))
    return mixture if shared is None else WithShared(shape.width, mixture, shared)


def on_meta(**parts: Any) -> CausalDecoder:
    """Return a decoder without memory for its weights: to be counted, or to be filled."""
    with torch.device("meta"):
        return CausalDecoder(**parts)
