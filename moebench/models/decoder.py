"""A decoder with rotary positions: Mixtral's and, with other parts, OLMoE's, Qwen's and DeepSeek's.

Source: Jiang et al. 2024, Mixtral of experts (arXiv 2401.04088), section 2 and Table 1, on the
decoder of Jiang et al. 2023, Mistral 7B (arXiv 2310.06825). Leading dense layers and shared
experts: Dai et al. 2024, DeepSeekMoE (arXiv 2401.06066), sections 3.2 and 5.1.1. Without mixtures
it is its own dense twin.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from moebench.data.contract import TokenBatch
from moebench.models.contract import DenseTwin, without_mixtures
from moebench.models.feed_forward import slot
from moebench.models.grouped_query import GroupedQueryAttention
from moebench.models.initialise import draw_seed, initialise
from moebench.models.kv_cache import KVCache
from moebench.models.multipliers import NO_MULTIPLIERS, Multipliers
from moebench.models.output import Output
from moebench.models.padding import check_mask, mask_of
from moebench.models.rotary import RotaryEmbedding
from moebench.models.t5_blocks import Residual
from moebench.moe.decision import RoutingDecision
from moebench.moe.experts.shared import Shared
from moebench.moe.layer import MoELayer, Sparse


@dataclass(frozen=True)
class DecoderShape:
    """The size of a decoder.

    Raises:
        ValueError: if a number is out of range.
    """

    width: int = 128  # D of a token
    layers: int = 4  # blocks
    heads: int = 4  # of attention
    hidden: int = 512  # F of dense feed-forward blocks
    dense_layers: int = 0  # leading layers without a mixture, whatever `sparse` says
    tied: bool = False  # whether the embedding is also the output matrix
    epsilon: float = 1e-5  # of RMSNorm
    multipliers: Multipliers = NO_MULTIPLIERS  # fixed factors

    def __post_init__(self) -> None:
        for name in ("width", "layers", "heads", "hidden"):
            if getattr(self, name) < 1:
                raise ValueError(f"shape.{name}={getattr(self, name)}: must be at least 1")
        if not 0 <= self.dense_layers <= self.layers:
            raise ValueError(
                f"shape.dense_layers={self.dense_layers}: must lie between 0 and "
                f"shape.layers={self.layers}"
            )
        if not self.epsilon > 0:
            raise ValueError(f"shape.epsilon={self.epsilon}: must be above 0")


DEFAULT_SHAPE, DEFAULT_POSITIONS = DecoderShape(), RotaryEmbedding()


class RotaryDecoder(nn.Module):
    """A decoder with rotary positions, grouped-query attention and SwiGLU blocks or experts.

    Args:
        vocabulary: number V of token ids.
        shape: size of the model.
        sparse: mixtures in place of feed-forward blocks; None: the dense twin.
        shared: makes, from the width, shared experts to add to each mixture.
        attention: makes each layer's attention from width and query heads.
        positions: rotary positions, context and window.
        initial_scale: scale s of the initial weights, see `moebench.models.initialise`.

    Raises:
        ValueError: if a number is out of range.
    """

    causal = True

    def __init__(
        self,
        vocabulary: int,
        shape: DecoderShape = DEFAULT_SHAPE,
        sparse: Sparse | None = None,
        shared: Callable[[int], nn.Module] | None = None,
        attention: Callable[[int, int], nn.Module] = GroupedQueryAttention,
        positions: RotaryEmbedding = DEFAULT_POSITIONS,
        initial_scale: float = 1.0,
    ) -> None:
        super().__init__()
        if vocabulary < 1:
            raise ValueError(f"vocabulary={vocabulary}: must be at least 1")
        seed = draw_seed()
        self.shape = shape
        self.positions = positions
        self.source: Path | None = None  # the checkpoint that it was read from
        self.embedding = nn.Embedding(vocabulary, shape.width)
        blocks = [
            DecoderBlock(shape, attention, mixture, shared if mixture else None)
            for mixture in sparse_layers(shape, sparse)
        ]
        self.blocks = nn.ModuleList(blocks)
        self.rotary_width = blocks[0].rotary_width
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        if not shape.tied:
            self.output = nn.Linear(shape.width, vocabulary, bias=False)
        initialise(self, seed, initial_scale)

    def forward(self, batch: TokenBatch) -> Output:
        """Return logits prediction_BLV and one decision per mixture in order of depth.

        Raises:
            ValueError: if a mask is of another shape than its tokens.
        """
        x_BLD, decisions = self.read(batch.input_BL, mask_BS=mask_of(batch))
        return Output(self.score(x_BLD), decisions)

    @property
    def mixtures(self) -> list[MoELayer | None]:
        """The mixture of each layer, None for a dense one."""
        inner: list[Any] = [block.get_submodule("feed_forward.inner") for block in self.blocks]
        return [one.moe for one in inner]

    def read(
        self,
        input_BL: Tensor,
        caches: Sequence[KVCache] | None = None,
        mask_BS: Tensor | None = None,
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the normalised hidden states after all layers, and the decisions.

        Args:
            input_BL: ids of the tokens.
            caches: one per layer, with the earlier tokens; these tokens are added. None: there are
                no earlier tokens, and nothing is cached.
            mask_BS: which tokens are real, cached ones first; None if all are.

        Raises:
            ValueError: if a cache is full, or the mask is of another shape than the tokens.
        """
        x_BLD, factor = self.embedding(input_BL), self.shape.multipliers.embedding
        x_BLD = x_BLD if factor == 1 else x_BLD * factor
        batch, length = input_BL.shape
        start = 0 if caches is None else caches[0].length
        check_mask(mask_BS, (batch, start + length), "mask_BL")
        rotation = self.positions.rotation(start, length, self.rotary_width, x_BLD, mask_BS)
        mask_BL = None if mask_BS is None else mask_BS[:, start:]
        decisions: list[RoutingDecision] = []
        for layer, block in enumerate(self.blocks):
            cache = None if caches is None else caches[layer]
            x_BLD, of_block = block(x_BLD, mask_BL, rotation, cache)
            decisions += of_block
        return self.norm(x_BLD), decisions

    def score(self, x_BLD: Tensor) -> Tensor:
        """Return the logits of the next token."""
        weight_VD = self.embedding.weight if self.shape.tied else self.output.weight
        logits, divisor = x_BLD @ weight_VD.T, self.shape.multipliers.logits
        return logits if divisor == 1 else logits / divisor

    def kv_caches(self, max_length: int) -> list[KVCache]:
        """Return empty caches for a text of up to `max_length` tokens, for `read`."""
        return [KVCache(max_length) for _ in self.blocks]

    @property
    def context(self) -> int:
        """The longest text it was made for, in tokens."""
        return self.positions.context

    @staticmethod
    def dense_twin(arguments: Mapping[str, Any]) -> DenseTwin | None:
        """Return the model without its mixtures, given its arguments in a configuration."""
        return without_mixtures(arguments, "sparse")


class DecoderBlock(nn.Module):
    """Attention, then a feed-forward block or a mixture.

    Args:
        shape: size of the model.
        attention: makes the attention from width and heads.
        sparse: parts of the mixture; None: a dense SwiGLU block.
        shared: makes, from the width, shared experts to add to the mixture.
    """

    def __init__(
        self,
        shape: DecoderShape,
        attention: Callable[[int, int], nn.Module],
        sparse: Sparse | None,
        shared: Callable[[int], nn.Module] | None,
    ) -> None:
        super().__init__()
        dim = shape.width
        feed_forward = slot(sparse, dim, lambda: Shared(dim, shape.hidden), shared)
        inner: Any = attention(dim, shape.heads)
        self.rotary_width = int(inner.rotary_width)
        factor = shape.multipliers.residual
        self.attention = Residual(dim, inner, 0.0, shape.epsilon, factor)
        self.feed_forward = Residual(dim, feed_forward, 0.0, shape.epsilon, factor)

    def forward(
        self, x_BLD: Tensor, mask_BL: Tensor | None, *for_attention: object
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the hidden states after the block and its decisions.

        Args:
            x_BLD: the hidden states before it.
            mask_BL: which tokens are real; None if all are.
            *for_attention: their rotation, and the cache if there is one.
        """
        x_BLD, of_attention = self.attention(x_BLD, *for_attention)
        x_BLD, of_feed_forward = self.feed_forward(x_BLD, mask_BL)
        return x_BLD, [*of_attention, *of_feed_forward]


def sparse_layers(shape: DecoderShape, sparse: Sparse | None) -> list[Sparse | None]:
    """Return for each layer the parts of its mixture, None for a dense one.

    Counting all layers, every n-th one has a mixture, unless it is one of the leading dense layers.

    Raises:
        ValueError: if there should be mixtures and no layer has one.
    """
    found = [
        sparse
        if sparse is not None and layer > shape.dense_layers and layer % sparse.every == 0
        else None
        for layer in range(1, shape.layers + 1)
    ]
    if sparse is not None and not any(found):
        raise ValueError(
            f"sparse.every={sparse.every}: none of the {shape.layers} layers (shape.layers), of "
            f"which {shape.dense_layers} are dense (shape.dense_layers), is a mixture"
        )
    return found
