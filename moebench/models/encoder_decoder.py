"""T5 with mixtures of experts in every n-th block, and a decoder made of the same blocks.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), sections 2.1, 2.4 and 3 and appendix A;
Raffel et al. 2020 (arXiv 1910.10683), section 2.1. Without mixtures each is its own dense twin.

The embedding also scores the tokens. T5 starts it with a deviation of 1 and multiplies the scores
by width ** -0.5; here the embedding starts at width ** -0.5 and the scores are as they are, since
the step of AdamW does not grow with the weight, as that of T5's Adafactor does, and would move
an embedding of deviation 1 too little.
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


class Decoder(nn.Module):
    """Predicts the next token with the decoder's blocks alone.

    Args:
        vocabulary: number V of token ids.
        shape: size of the model.
        sparse: mixtures in the place of feed-forward blocks; None: the dense twin.
        attention_sparse: mixtures in the place of query, key and value projections (appendix A).
        dropout: residual dropout, and that inside dense feed-forward blocks.
        initial_scale: scale s of the initial weights (section 2.4).

    Raises:
        ValueError: if a number is out of range.
    """

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
        self.decoder = Stack(shape, mixtures, dropout, causal=True, crossed=False)
        initialise(self, seed, initial_scale)

    def forward(self, batch: TokenBatch) -> Output:
        """Return logits prediction_BLV and one decision per mixture in order of depth.

        Raises:
            ValueError: if a mask is of another shape than its tokens.
        """
        padding = Padding.of(mask_of(batch))
        ids_BL = padding.forth(batch.input_BL)
        x_BLD, decisions = self.decoder(self.embedding(ids_BL), padding.mask_BL)
        return Output(padding.back(x_BLD) @ self.embedding.weight.T, decisions)

    @staticmethod
    def dense_twin(arguments: Mapping[str, Any]) -> DenseTwin | None:
        """Return the model without its mixtures; its arguments are those of a configuration."""
        return without_mixtures(arguments, "sparse", "attention_sparse")


class EncoderDecoder(nn.Module):
    """Reads a text with holes and writes what is missing.

    Args:
        vocabulary: number V of token ids, shared by encoder and decoder.
        shape: size of each of the two stacks.
        sparse: mixtures in the place of feed-forward blocks; None: the dense twin.
        attention_sparse: mixtures in the place of query, key and value projections (appendix A)
            of attention within a sequence; attention to the encoder stays dense.
        dropout: residual dropout, and that inside dense feed-forward blocks.
        initial_scale: scale s of the initial weights (section 2.4).

    Raises:
        ValueError: if a number is out of range.
    """

    reads_context = True

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
        self.encoder = Stack(shape, mixtures, dropout, causal=False, crossed=False)
        self.decoder = Stack(shape, mixtures, dropout, causal=True, crossed=True)
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
        read = Padding.of(mask_of(batch, "context_BL", "context_mask_BL"))
        written = Padding.of(mask_of(batch))
        read_BL, written_BL = read.forth(batch.context_BL), written.forth(batch.input_BL)
        context_BLD, of_encoder = self.encoder(self.embedding(read_BL), read.mask_BL)
        x_BLD, of_decoder = self.decoder(
            self.embedding(written_BL), written.mask_BL, context_BLD, read.mask_BL
        )
        x_BLD = written.back(x_BLD)
        return Output(x_BLD @ self.embedding.weight.T, of_encoder + of_decoder)

    @staticmethod
    def dense_twin(arguments: Mapping[str, Any]) -> DenseTwin | None:
        """Return the model without its mixtures; its arguments are those of a configuration."""
        return without_mixtures(arguments, "sparse", "attention_sparse")


def _embedding(vocabulary: int, width: int) -> nn.Embedding:
    if vocabulary < 1:
        raise ValueError(f"vocabulary={vocabulary}: must be at least 1")
    return nn.Embedding(vocabulary, width)
