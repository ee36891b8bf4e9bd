"""T5 with mixtures in every n-th feed-forward block, and a decoder of the same blocks.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), sections 2.1, 2.4 and 5.1 and appendix A;
Raffel et al. 2020 (arXiv 1910.10683), section 2.1. Without mixtures each is its own dense twin.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from moebench.models.attention import Attention, PositionBias
from moebench.models.initialise import initialise
from moebench.models.output import Output
from moebench.moe.decision import RoutingDecision
from moebench.moe.layer import Sparse


class TokenBatch(Protocol):
    """What these models read of a batch."""

    input_BL: Tensor  # ids of the decoder, int64
    context_BL: Tensor | None  # ids of the encoder


@dataclass(frozen=True)
class Shape:
    """The size of a model."""

    width: int = 128  # D
    layers: int = 4  # blocks in each stack
    heads: int = 4
    hidden: int = 512  # F of dense feed-forward blocks

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"shape.{name}={value}: must be at least 1")


class FeedForward(nn.Module):
    """The dense block relu(x @ up) @ down, without biases."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return y_BLD."""
        y_BLD: Tensor = self.down(self.up(x_BLD).relu())
        return y_BLD


@dataclass(frozen=True)
class Mixtures:
    """Where a stack has mixtures, and residual dropout."""

    feed_forward: Sparse | None
    attention: Sparse | None
    dropout: float

    def at(self, layer: int) -> "Mixtures":
        """Return what applies to one layer, counted from one: every n-th is a mixture."""
        kept = [
            sparse if sparse is not None and layer % sparse.every == 0 else None
            for sparse in (self.feed_forward, self.attention)
        ]
        return Mixtures(kept[0], kept[1], self.dropout)


class Block(nn.Module):
    """Attention, attention to an encoder if there is one, feed-forward; normalised before each."""

    def __init__(self, shape: Shape, mixtures: Mixtures, crossed: bool) -> None:
        super().__init__()
        dim = shape.width
        self.attention_norm = nn.RMSNorm(dim, eps=1e-6)
        self.attention = Attention(dim, shape.heads, mixtures.attention)
        self.cross_norm = nn.RMSNorm(dim, eps=1e-6) if crossed else None
        self.cross = Attention(dim, shape.heads) if crossed else None
        self.norm = nn.RMSNorm(dim, eps=1e-6)
        sparse = mixtures.feed_forward
        self.moe = None if sparse is None else sparse.build(dim)
        self.feed_forward = FeedForward(dim, shape.hidden) if sparse is None else None
        self.dropout = nn.Dropout(mixtures.dropout)

    def forward(
        self, x_BLD: Tensor, bias_HLL: Tensor, context_BLD: Tensor | None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the tokens after the block and its decisions, attention's first."""
        y_BLD, decisions = self.attention(self.attention_norm(x_BLD), bias_HLL)
        x_BLD = x_BLD + self.dropout(y_BLD)
        if self.cross is not None and self.cross_norm is not None:
            y_BLD, _ = self.cross(self.cross_norm(x_BLD), None, context_BLD)
            x_BLD = x_BLD + self.dropout(y_BLD)
        normed_BLD = self.norm(x_BLD)
        if self.moe is not None:
            y_TD, decision = self.moe(normed_BLD.flatten(0, 1))
            y_BLD, decisions = y_TD.view(x_BLD.shape), [*decisions, decision]
        elif self.feed_forward is not None:
            y_BLD = self.feed_forward(normed_BLD)
        return x_BLD + self.dropout(y_BLD), decisions


class Stack(nn.Module):
    """Blocks that share a position bias, and a last normalisation.

    Args:
        shape: size of the stack.
        mixtures: where it has mixtures.
        encodes: whether tokens see what comes after them.
        crossed: whether tokens also attend to an encoder.
    """

    def __init__(self, shape: Shape, mixtures: Mixtures, encodes: bool, crossed: bool) -> None:
        super().__init__()
        self.position = PositionBias(shape.heads, both_sides=encodes)
        self.blocks = nn.ModuleList(
            Block(shape, mixtures.at(layer), crossed) for layer in range(1, shape.layers + 1)
        )
        self.norm = nn.RMSNorm(shape.width, eps=1e-6)
        self.dropout = nn.Dropout(mixtures.dropout)

    def forward(
        self, x_BLD: Tensor, context_BLD: Tensor | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the tokens after all blocks and the decisions in order of depth."""
        decisions: list[RoutingDecision] = []
        x_BLD = self.dropout(x_BLD)
        bias_HLL = self.position(x_BLD.shape[1])
        for block in self.blocks:
            x_BLD, made = block(x_BLD, bias_HLL, context_BLD)
            decisions += made
        return self.dropout(self.norm(x_BLD)), decisions


class Decoder(nn.Module):
    """Predicts the next token with the decoder's blocks alone.

    Args:
        vocabulary: number V of token ids.
        shape: size of the model.
        sparse: mixtures in feed-forward blocks; None: the dense twin.
        attention_sparse: mixtures in the place of the projections of attention (appendix A).
        dropout: residual dropout.
        initial_scale: scale s of the initial weights.
    """

    def __init__(
        self,
        vocabulary: int,
        shape: Shape = Shape(),
        sparse: Sparse | None = None,
        attention_sparse: Sparse | None = None,
        dropout: float = 0.0,
        initial_scale: float = 0.1,
    ) -> None:
        super().__init__()
        mixtures = Mixtures(sparse, attention_sparse, dropout)
        self.embedding = nn.Embedding(vocabulary, shape.width)
        self.decoder = Stack(shape, mixtures, encodes=False, crossed=False)
        initialise(self, initial_scale)

    def forward(self, batch: TokenBatch) -> Output:
        """Return logits prediction_BLV and one decision per mixture."""
        x_BLD, decisions = self.decoder(self.embedding(batch.input_BL))
        return Output(_logits(x_BLD, self.embedding), decisions)


class EncoderDecoder(nn.Module):
    """Reads a text with holes and writes what is missing; takes what `Decoder` takes."""

    def __init__(
        self,
        vocabulary: int,
        shape: Shape = Shape(layers=2),
        sparse: Sparse | None = None,
        attention_sparse: Sparse | None = None,
        dropout: float = 0.0,
        initial_scale: float = 0.1,
    ) -> None:
        super().__init__()
        mixtures = Mixtures(sparse, attention_sparse, dropout)
        self.embedding = nn.Embedding(vocabulary, shape.width)
        self.encoder = Stack(shape, mixtures, encodes=True, crossed=False)
        self.decoder = Stack(shape, mixtures, encodes=False, crossed=True)
        initialise(self, initial_scale)

    def forward(self, batch: TokenBatch) -> Output:
        """Return logits prediction_BLV and one decision per mixture, the encoder's first.

        Raises:
            ValueError: if the batch has no context, as with the next-token objective.
        """
        if batch.context_BL is None:
            raise ValueError("data.objective: an EncoderDecoder needs one with a context")
        context_BLD, decisions = self.encoder(self.embedding(batch.context_BL))
        x_BLD, more = self.decoder(self.embedding(batch.input_BL), context_BLD)
        return Output(_logits(x_BLD, self.embedding), decisions + more)


def _logits(x_BLD: Tensor, embedding: nn.Embedding) -> Tensor:
    """Score every id with the embedding itself, scaled as in T5 1.0 (section 3.1.1 there)."""
    logits_BLV: Tensor = x_BLD * x_BLD.shape[-1] ** -0.5 @ embedding.weight.T
    return logits_BLV
