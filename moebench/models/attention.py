"""T5's attention with relative position buckets, optionally with experts as projections.

Source: Raffel et al. 2020 (arXiv 1910.10683), section 2.1; Fedus, Zoph and Shazeer 2021
(arXiv 2101.03961), appendix A, for experts.

One thing differs from T5, which does not divide the scores by the root of the head's width but
starts with query weights smaller by that factor. Here the division is explicit, so that one rule
for initial weights holds for every matrix. The functions are the same; only the query weights
differ by the factor.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from moebench.models.feed_forward import slot
from moebench.moe.autocast import without_autocast
from moebench.moe.decision import RoutingDecision
from moebench.moe.layer import Sparse
from moebench.moe.routers.score import at_least_float32

BUCKETS = 32
MAX_DISTANCE = 128


def bucket(distance: Tensor, causal: bool) -> Tensor:
    """Return the bucket of each relative position (key minus query), int64 in [0, 32).

    In each direction the first half of the buckets holds one distance each; the second half grows
    logarithmically up to a distance of 128, and its last bucket holds everything beyond. Causal
    attention has one direction with 32 buckets, and keys after the query share bucket 0 (they are
    masked); otherwise buckets 16 to 31 are for keys after the query.
    """
    buckets = BUCKETS if causal else BUCKETS // 2
    offset = torch.zeros_like(distance) if causal else (distance > 0) * buckets
    distance = (-distance).clamp(min=0) if causal else distance.abs()
    exact = buckets // 2
    growth = (distance.clamp(min=1).float() / exact).log() / math.log(MAX_DISTANCE / exact)
    far = (exact + (growth * (buckets - exact)).long()).clamp(max=buckets - 1)
    return offset + torch.where(distance < exact, distance, far)


class PositionBias(nn.Module):
    """A learned bias per head and bucket, added to the scores of all layers of a stack.

    Args:
        heads: number H of heads.
        causal: whether keys after the query are masked.
    """

    def __init__(self, heads: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.of_bucket = nn.Linear(BUCKETS, heads, bias=False)  # applied to one-hot buckets

    def forward(self, length: int) -> Tensor:
        """Return bias_HLL for queries (rows) and keys, minus infinity where a key is masked."""
        weight_HN = self.of_bucket.weight
        place_L = torch.arange(length, device=weight_HN.device)
        distance_LL = place_L[None, :] - place_L[:, None]
        bucket_LL = bucket(distance_LL, self.causal)
        bias_HLL: Tensor
        bias_HLL = weight_HN.index_select(1, bucket_LL.flatten()).unflatten(1, bucket_LL.shape)
        return bias_HLL.masked_fill(distance_LL > 0, -torch.inf) if self.causal else bias_HLL


class Attention(nn.Module):
    """Multi-head attention without biases, within a sequence or to a context.

    Args:
        dim: width D of tokens, shared by the heads; a multiple of `heads`.
        heads: number H of heads.
        sparse: mixtures in place of the query, key and value projections; None for plain matrices.
    """

    def __init__(self, dim: int, heads: int, sparse: Sparse | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (
            slot(sparse, dim, lambda: nn.Linear(dim, dim, bias=False)) for _ in range(3)
        )
        self.out = nn.Linear(dim, dim, bias=False)

    def forward(
        self,
        x_BLD: Tensor,
        bias: Tensor | None = None,
        context_BLD: Tensor | None = None,
        mask_BL: Tensor | None = None,
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the attended values, and the decisions of query, key and value in that order.

        Args:
            x_BLD: the tokens of the queries and, without a context, of keys and values.
            bias: added to the scores, broadcast to BHLS; minus infinity masks a key; None for none.
            context_BLD: the tokens of keys and values, of any length.
            mask_BL: which tokens of x_BLD are real, for mixtures; None if all are.
        """
        source_BLD, source_mask_BL = (
            (x_BLD, mask_BL) if context_BLD is None else (context_BLD, None)
        )
        query_BLD, of_query = self.query(x_BLD, mask_BL)
        key_BLD, of_key = self.key(source_BLD, source_mask_BL)
        value_BLD, of_value = self.value(source_BLD, source_mask_BL)
        attended_BHLD = attend(
            self._split(query_BLD), self._split(key_BLD), self._split(value_BLD), bias
        )
        attended_BLD = attended_BHLD.transpose(1, 2).flatten(2)
        return self.out(attended_BLD), [*of_query, *of_key, *of_value]

    def _split(self, x_BLD: Tensor) -> Tensor:
        """Split the width into heads."""
        x_BLHD: Tensor = x_BLD.unflatten(-1, (self.heads, -1))
        return x_BLHD.transpose(1, 2)


def attend(query_BHLR: Tensor, key_BHSR: Tensor, value_BHSR: Tensor, bias: Tensor | None) -> Tensor:
    """Return the attended values of each query, which must see at least one key.

    Args:
        query_BHLR: queries of each head, of width R.
        key_BHSR: keys.
        value_BHSR: values.
        bias: added to the scores, broadcast to BHLS; minus infinity masks a key; None for none.
    """
    if bias is None or not bias.requires_grad or bias.device.type != "cpu":
        mask = None if bias is None else bias.to(query_BHLR.dtype)
        return scaled_dot_product_attention(query_BHLR, key_BHSR, value_BHSR, attn_mask=mask)
    # No kernel on a processor has a gradient for the bias, and the fallback spends most of its time
    # on looking for queries that see no key.
    with without_autocast(bias):
        query_BHLR, key_BHSR = at_least_float32(query_BHLR), at_least_float32(key_BHSR)
        score_BHLS = query_BHLR * query_BHLR.shape[-1] ** -0.5 @ key_BHSR.transpose(-1, -2)
        share_BHLS = score_BHLS.add_(bias).softmax(dim=-1)
        attended_BHLR: Tensor = share_BHLS @ at_least_float32(value_BHSR)
        return attended_BHLR.to(value_BHSR.dtype)
