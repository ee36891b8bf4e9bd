"""T5 with mixtures of experts in every n-th block, and a decoder made of the same blocks.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), sections 2.1, 2.4 and 3 and appendix A;
Raffel et al. 2020 (arXiv 1910.10683), section 2.1. Without mixtures each is its own dense twin.

The embedding is also the output matrix. T5 initialises it with a standard deviation of 1 and
multiplies the logits by width ** -0.5; here it starts at width ** -0.5 and the logits are not
scaled. The steps of AdamW, unlike those of T5's Adafactor, do not grow with the weight and would
hardly move an embedding of deviation 1.
"""

from collections.abc import Mapping
from typing import Any

from torch import nn

from moebench.data.contract import TokenBatch
from moebench.models.contract import DenseTwin, without_mixtures
from moebench.models.initialise import draw_seed, initialise
from moebench.models.output import Output
from moebench.models.padding import Padding, mask_of
from moebench.models.t5_blocks import Mixtures, Shape, Stack
from moebench.moe.layer import Sparse

ONE_STACK = Shape(layers=4)
TWO_STACKS = Shape(layers=2)  # as many blocks in all


def _embedding(vocabulary: int, width: int) -> nn.Embedding:
    """Return the embedding of tokens, which is also the output matrix."""
    if vocabulary < 1:
        raise ValueError(f"vocabulary={vocabulary}: must be at least 1")
    return nn.Embedding(vocabulary, width)


def _dense_twin(arguments: Mapping[str, Any]) -> DenseTwin | None:
    """Return either model without its mixtures, given its arguments in a configuration."""
    return without_mixtures(arguments, "sparse", "attention_sparse")


class Decoder(nn.Module):
    """The decoder of T5 alone; it predicts the next token.

    Args:
        vocabulary: number V of token ids.
        shape: size of the model.
        sparse: mixtures in place of feed-forward blocks; None: the dense twin.
        attention_sparse: mixtures in place of query, key and value projections (appendix A).
        dropout: dropout of residual branches and inside dense feed-forward blocks.
        initial_scale: scale s of the initial weights (section 2.4).

    Raises:
        ValueError: if a number is out of range.
    """

    dense_twin = staticmethod(_dense_twin)

    def __init__(
        self,
        vocabulary: int,
        shape: Shape = ONE_STACK,
        sparse: Sparse | None = None,
        attention_sparse: Sparse | None = None,
        dropout: float = 0.0,
        initial_scale: float = 0.1,
    ) -> None:
        super().__init__()
        seed = draw_seed()
        mixtures = Mixtures(sparse, attention_sparse)
        self.embedding = _embedding(vocabulary, shape.width)
        self.decoder = Stack(shape, mixtures, dropout, causal=True, cross_attention=False)
        initialise(self, seed, initial_scale)

    def forward(self, batch: TokenBatch) -> Output:
        """Return logits prediction_BLV and one decision per mixture in order of depth.

        Raises:
            ValueError: if a mask is of another shape than its tokens.
        """
        padding = Padding.of(mask_of(batch))
        ids_BL = padding.left_align(batch.input_BL)
        x_BLD, decisions = self.decoder(self.embedding(ids_BL), padding.mask_BL)
        return Output(padding.restore(x_BLD) @ self.embedding.weight.T, decisions)


class EncoderDecoder(nn.Module):
    """T5: the encoder reads a text with spans cut out, the decoder predicts them.

    Args:
        vocabulary: number V of token ids, shared by encoder and decoder.
        shape: size of each of the two stacks.
        sparse: mixtures in place of feed-forward blocks; None: the dense twin.
        attention_sparse: mixtures in place of query, key and value projections (appendix A)
            of self-attention; cross-attention stays dense.
        dropout: dropout of residual branches and inside dense feed-forward blocks.
        initial_scale: scale s of the initial weights (section 2.4).

    Raises:
        ValueError: if a number is out of range.
    """

    reads_context = True
    dense_twin = staticmethod(_dense_twin)

    def __init__(
        self,
        vocabulary: int,
        shape: Shape = TWO_STACKS,
        sparse: Sparse | None = None,
        attention_sparse: Sparse | None = None,
        dropout: float = 0.0,
        initial_scale: float = 0.1,
    ) -> None:
        super().__init__()
        seed = draw_seed()
        mixtures = Mixtures(sparse, attention_sparse)
        self.embedding = _embedding(vocabulary, shape.width)
        self.encoder = Stack(shape, mixtures, dropout, causal=False, cross_attention=False)
        self.decoder = Stack(shape, mixtures, dropout, causal=True, cross_attention=True)
        initialise(self, seed, initial_scale)

    def forward(self, batch: TokenBatch) -> Output:
        """Return logits prediction_BLV and one decision per mixture, the encoder's first.

        Raises:
            ValueError: if the batch has nothing for the encoder, or a mask is of another shape than
                its tokens.
        """
        if batch.context_BL is None:
            raise ValueError(
                "data.objective: gives the encoder nothing to read; EncoderDecoder needs one that "
                "does, such as SpanCorruption"
            )
        source = Padding.of(mask_of(batch, "context_BL", "context_mask_BL"))
        target = Padding.of(mask_of(batch))
        source_BL, target_BL = (
            source.left_align(batch.context_BL),
            target.left_align(batch.input_BL),
        )
        context_BLD, of_encoder = self.encoder(self.embedding(source_BL), source.mask_BL)
        x_BLD, of_decoder = self.decoder(
            self.embedding(target_BL), target.mask_BL, context_BLD, source.mask_BL
        )
        x_BLD = target.restore(x_BLD)
        return Output(x_BLD @ self.embedding.weight.T, of_encoder + of_decoder)
