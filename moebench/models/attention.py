"""Attention as in T5: relative position buckets, no biases, no division by the root of the width.

Source: Raffel et al. 2020 (arXiv 1910.10683), section 2.1.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from moebench.moe.decision import RoutingDecision
from moebench.moe.layer import Sparse

BUCKETS = 32
MAX_DISTANCE = 128


def bucket(distance: Tensor, both_sides: bool) -> Tensor:
    """Return the bucket of each relative position (key minus query), int64 in [0, 32).

    Half of the buckets of a side hold one distance each; the other half grow with the logarithm
    up to a distance of 128, and the last holds everything beyond. With `both_sides` the upper half
    of all buckets is for keys behind the query; otherwise keys behind share bucket 0.
    """
    buckets = BUCKETS // 2 if both_sides else BUCKETS
    side = (distance > 0).long() * buckets if both_sides else torch.zeros_like(distance)
    distance = distance.abs() if both_sides else (-distance).clamp(min=0)
    exact = buckets // 2
    growth = (distance.clamp(min=1).float() / exact).log() / math.log(MAX_DISTANCE / exact)
    far = (exact + (growth * (buckets - exact)).long()).clamp(max=buckets - 1)
    return side + torch.where(distance < exact, distance, far)


class PositionBias(nn.Module):
    """A learned number per head and bucket, added to the scores of all layers of a stack.

    Args:
        heads: number of heads.
        both_sides: whether keys behind the query may be seen (an encoder); otherwise they are
            masked (a decoder).
    """

    def __init__(self, heads: int, both_sides: bool) -> None:
        super().__init__()
        self.both_sides = both_sides
        self.bias = nn.Embedding(BUCKETS, heads)

    def forward(self, length: int) -> Tensor:
        """Return bias_HLL, minus infinity where attention is forbidden."""
        place_L = torch.arange(length, device=self.bias.weight.device)
        distance_LL = place_L[None, :] - place_L[:, None]
        bias_HLL: Tensor = self.bias(bucket(distance_LL, self.both_sides)).permute(2, 0, 1)
        if self.both_sides:
            return bias_HLL
        return bias_HLL.masked_fill(distance_LL > 0, float("-inf"))


class Projection(nn.Module):
    """One projection of attention: a matrix, or a mixture of matrices in its place.

    Args:
        dim: width D.
        sparse: parts of the mixture; None: one matrix.
    """

    def __init__(self, dim: int, sparse: Sparse | None) -> None:
        super().__init__()
        self.dense = nn.Linear(dim, dim, bias=False) if sparse is None else None
        self.moe = None if sparse is None else sparse.build(dim)

    def forward(self, x_BLD: Tensor) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the projected tokens and the decision of the mixture, if there is one."""
        if self.moe is None:
            assert self.dense is not None
            return self.dense(x_BLD), []
        y_TD, decision = self.moe(x_BLD.flatten(0, 1))
        return y_TD.view(x_BLD.shape), [decision]


class Attention(nn.Module):
    """Multi-head attention, within a sequence or from a decoder to an encoder.

    Args:
        dim: width D of tokens; the heads share it.
        heads: number of heads.
        sparse: parts of mixtures in the place of the query, key and value projections; None: plain.

    Raises:
        ValueError: if the width does not divide among the heads.
    """

    def __init__(self, dim: int, heads: int, sparse: Sparse | None = None) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(f"shape.width={dim}: does not divide among shape.heads={heads}")
        self.heads = heads
        self.query = Projection(dim, sparse)
        self.key = Projection(dim, sparse)
        self.value = Projection(dim, sparse)
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(
        self, x_BLD: Tensor, bias_HLL: Tensor | None, context_BLD: Tensor | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return what each token gathers, from its sequence or from the context, and decisions."""
        source_BLD = x_BLD if context_BLD is None else context_BLD
        projected, decisions = [], []
        for part, tokens_BLD in (
            (self.query, x_BLD),
            (self.key, source_BLD),
            (self.value, source_BLD),
        ):
            y_BLD, made = part(tokens_BLD)
            projected.append(y_BLD.unflatten(-1, (self.heads, -1)).transpose(1, 2))
            decisions += made
        query, key, value = projected
        mask = None if bias_HLL is None else bias_HLL.to(query.dtype)
        gathered = scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)
        return self.out(gathered.transpose(1, 2).flatten(-2)), decisions
