"""The blocks of T5 in a stack, with mixtures of experts in every n-th block.

Source: Raffel et al. 2020 (arXiv 1910.10683), section 2.1; Fedus, Zoph and Shazeer 2021
(arXiv 2101.03961), sections 2.1 and 2.4. Dropout is where T5 has it, except on attention weights.
"""

from dataclasses import dataclass

from torch import Tensor, nn

from moebench.models.attention import Attention, PositionBias
from moebench.models.feed_forward import slot
from moebench.models.padding import mask_keys
from moebench.moe.decision import RoutingDecision
from moebench.moe.layer import Sparse

EPSILON = 1e-6  # of RMSNorm


@dataclass(frozen=True)
class Shape:
    """The size of a model.

    Raises:
        ValueError: if a number is below 1 or the width does not divide among the heads.
    """

    width: int = 128  # D of a token
    layers: int = 4  # blocks in each stack
    heads: int = 4  # of attention
    hidden: int = 512  # F of dense feed-forward blocks

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value < 1:
                raise ValueError(f"shape.{name}={value}: must be at least 1")
        if self.width % self.heads:
            raise ValueError(
                f"shape.width={self.width}: must be a multiple of shape.heads={self.heads}"
            )


@dataclass(frozen=True)
class Mixtures:
    """The mixtures of experts of a stack, or of one of its blocks; None for dense parts."""

    feed_forward: Sparse | None = None
    attention: Sparse | None = None

    def check(self, layers: int) -> None:
        """Raise ValueError if no layer of a stack of that depth would have one."""
        for name, sparse in (("sparse", self.feed_forward), ("attention_sparse", self.attention)):
            if sparse is not None and sparse.every > layers:
                raise ValueError(
                    f"{name}.every={sparse.every}: must be at most shape.layers={layers}, "
                    "or no block is a mixture"
                )

    def at(self, layer: int) -> "Mixtures":
        """Return the mixtures of one layer, counted from 1: the n-th, 2n-th, ... have them."""
        return Mixtures(_at(self.feed_forward, layer), _at(self.attention, layer))


def _at(sparse: Sparse | None, layer: int) -> Sparse | None:
    return sparse if sparse is not None and layer % sparse.every == 0 else None


class FeedForward(nn.Module):
    """The dense block relu(x @ up) @ down, without biases.

    Args:
        dim: width D of a token.
        hidden: width F between the two products.
        dropout: share of hidden features dropped in training.
    """

    def __init__(self, dim: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.up = nn.Linear(dim, hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_BLD: Tensor) -> Tensor:
        """Return y_BLD."""
        y_BLD: Tensor = self.down(self.dropout(self.up(x_BLD).relu()))
        return y_BLD


class Residual(nn.Module):
    """x + factor * dropout(inner(norm(x))): a residual branch with its norm in front.

    Args:
        dim: width D of a token.
        inner: maps x_BLD and its other arguments to y_BLD and decisions.
        dropout: share of the branch's output that is dropped in training.
        epsilon: that of the norm.
        factor: multiplies the branch's output.
    """

    def __init__(
        self,
        dim: int,
        inner: nn.Module,
        dropout: float,
        epsilon: float = EPSILON,
        factor: float = 1.0,
    ) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(dim, eps=epsilon)
        self.inner = inner
        self.dropout = nn.Dropout(dropout)
        self.factor = factor

    def forward(self, x_BLD: Tensor, *others: object) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the sum of input and branch, and the decisions of the inner part."""
        y_BLD, decisions = self.inner(self.norm(x_BLD), *others)
        return x_BLD.add(self.dropout(y_BLD), alpha=self.factor), decisions


class Block(nn.Module):
    """Self-attention, cross-attention if there is a context, feed-forward.

    Args:
        shape: size of the model.
        mixtures: those of this block.
        dropout: dropout of residual branches and inside a dense feed-forward block.
        cross_attention: whether it has cross-attention, which is always dense.
    """

    def __init__(
        self, shape: Shape, mixtures: Mixtures, dropout: float, cross_attention: bool
    ) -> None:
        super().__init__()
        dim, heads = shape.width, shape.heads
        feed_forward = slot(
            mixtures.feed_forward, dim, lambda: FeedForward(dim, shape.hidden, dropout)
        )
        self.attention = Residual(dim, Attention(dim, heads, mixtures.attention), dropout)
        self.cross = Residual(dim, Attention(dim, heads), dropout) if cross_attention else None
        self.feed_forward = Residual(dim, feed_forward, dropout)

    def forward(
        self,
        x_BLD: Tensor,
        bias: Tensor,
        mask_BL: Tensor | None = None,
        context_BLD: Tensor | None = None,
        context_bias: Tensor | None = None,
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the hidden states after the block and its decisions, attention's first.

        Args:
            x_BLD: the hidden states before it.
            bias: bias of self-attention's scores, broadcast to BHLL.
            mask_BL: which tokens are real; None if all are.
            context_BLD: hidden states of the context.
            context_bias: bias of cross-attention's scores, broadcast to BHLS; None for none.
        """
        x_BLD, of_attention = self.attention(x_BLD, bias, None, mask_BL)
        if self.cross is not None:
            x_BLD, _ = self.cross(x_BLD, context_bias, context_BLD)
        x_BLD, of_feed_forward = self.feed_forward(x_BLD, mask_BL)
        return x_BLD, [*of_attention, *of_feed_forward]


class Stack(nn.Module):
    """Blocks that share a position bias, and a final norm.

    Args:
        shape: size of the model.
        mixtures: its mixtures of experts.
        dropout: dropout of residual branches, and before the first and after the last block.
        causal: whether tokens see only themselves and what comes before.
        cross_attention: whether its blocks have cross-attention.

    Raises:
        ValueError: if the stack is too shallow for its mixtures.
    """

    def __init__(
        self,
        shape: Shape,
        mixtures: Mixtures,
        dropout: float,
        *,
        causal: bool,
        cross_attention: bool,
    ) -> None:
        super().__init__()
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout}: must be at least 0 and below 1")
        mixtures.check(shape.layers)
        self.causal = causal
        self.position = PositionBias(shape.heads, causal)
        self.blocks = nn.ModuleList(
            Block(shape, mixtures.at(layer), dropout, cross_attention)
            for layer in range(1, shape.layers + 1)
        )
        self.norm = nn.RMSNorm(shape.width, eps=EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x_BLD: Tensor,
        mask_BL: Tensor | None = None,
        context_BLD: Tensor | None = None,
        context_mask_BL: Tensor | None = None,
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the hidden states after all blocks and the decisions in order of depth.

        Args:
            x_BLD: the embedded tokens, padding to the right of the real ones.
            mask_BL: which tokens are real; None if all are.
            context_BLD: hidden states of the context.
            context_mask_BL: which of its tokens are real; None if all are.
        """
        decisions: list[RoutingDecision] = []
        x_BLD = self.dropout(x_BLD)
        bias, context_bias = self.position(x_BLD.shape[1]), None
        if mask_BL is not None and not self.position.causal:
            bias = mask_keys(mask_BL, bias)
        if context_mask_BL is not None:
            context_bias = mask_keys(context_mask_BL, x_BLD.new_zeros(()))
        for block in self.blocks:
            x_BLD, of_block = block(x_BLD, bias, mask_BL, context_BLD, context_bias)
            decisions += of_block
        return self.dropout(self.norm(x_BLD)), decisions
