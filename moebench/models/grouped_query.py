"""Causal attention in which several query heads share a key and value head, with a cache.

Source: Ainslie et al. 2023 (arXiv 2305.13245), section 2; sliding window: Beltagy et al. 2020
(arXiv 2004.05150), section 3.1, and Jiang et al. 2023 (arXiv 2310.06825), section 2. Normalised
queries and keys: over all heads together as in OLMoE (arXiv 2409.02060), or over each as in Qwen3
(arXiv 2505.09388).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from moebench.models.rotary import rotate


@dataclass(frozen=True)
class Heads:
    """The heads of an attention.

    Raises:
        ValueError: for a number out of range, or key heads that the heads do not divide among.
    """

    heads: int = 4  # of queries
    key_value_heads: int = 4  # a divisor of `heads`
    size: int = 16  # features of a head, an even number
    window: int | None = None  # a token sees itself and window - 1 before; None: all before
    theta: float = 10_000.0  # base of the rotary positions
    bias: bool = False  # of queries, keys and values
    norm: Literal["none", "each", "all"] = "none"  # of queries and keys: by head, or all heads

    def __post_init__(self) -> None:
        for name in ("heads", "key_value_heads", "size"):
            if getattr(self, name) < 1:
                raise ValueError(f"heads.{name}={getattr(self, name)}: must be at least 1")
        if self.heads % self.key_value_heads:
            raise ValueError(
                f"heads.key_value_heads={self.key_value_heads}: must divide heads={self.heads}"
            )
        if self.size % 2:
            raise ValueError(f"heads.size={self.size}: must be even, rotary positions turn pairs")
        if self.window is not None and self.window < 1:
            raise ValueError(f"heads.window={self.window}: must be at least 1, or null")


class LayerCache:
    """Keys and values of the tokens so far, of one layer; grows by doubling."""

    def __init__(self) -> None:
        self.length = 0
        self.stored: tuple[Tensor, Tensor] | None = None  # (B, H, at least length, D) each

    def add(self, key_BHLD: Tensor, value_BHLD: Tensor) -> tuple[Tensor, Tensor]:
        """Add the newest tokens; return keys and values of all."""
        end = self.length + key_BHLD.shape[2]
        if self.stored is None or self.stored[0].shape[2] < end:
            self.stored = (self._grown(key_BHLD, 0, end), self._grown(value_BHLD, 1, end))
        for room, new in zip(self.stored, (key_BHLD, value_BHLD), strict=True):
            room[:, :, self.length : end] = new
        self.length = end
        key, value = self.stored
        return key[:, :, :end], value[:, :, :end]

    def _grown(self, like: Tensor, index: int, end: int) -> Tensor:
        """Return room for twice as many tokens, with those stored so far."""
        batch, heads, _, size = like.shape
        room = like.new_empty(batch, heads, 2 * end, size)
        if self.stored is not None:
            room[:, :, : self.length] = self.stored[index][:, :, : self.length]
        return room


class GroupedQueryAttention(nn.Module):
    """Attention of a decoder.

    Args:
        dim: width D of a token.
        shape: its heads.
        epsilon: under the root of the norms of queries and keys.
    """

    def __init__(self, dim: int, shape: Heads, epsilon: float) -> None:
        super().__init__()
        self.shape = shape
        asked, answered = shape.heads * shape.size, shape.key_value_heads * shape.size
        self.query = nn.Linear(dim, asked, bias=shape.bias)
        self.key = nn.Linear(dim, answered, bias=shape.bias)
        self.value = nn.Linear(dim, answered, bias=shape.bias)
        for linear in (self.query, self.key, self.value) if shape.bias else ():
            nn.init.zeros_(linear.bias)
        self.out = nn.Linear(asked, dim, bias=False)
        widths = {"each": (shape.size, shape.size), "all": (asked, answered)}.get(shape.norm)
        self.query_norm = nn.RMSNorm(widths[0], eps=epsilon) if widths else None
        self.key_norm = nn.RMSNorm(widths[1], eps=epsilon) if widths else None

    def forward(
        self, x_BLD: Tensor, turn: Tensor, cache: LayerCache | None = None
    ) -> tuple[Tensor, list[object]]:
        """Return what each token gathers, and no decision.

        Args:
            x_BLD: the newest tokens.
            turn: of their positions, by `rotary.turns`.
            cache: of the tokens before them; gets theirs, too. None: there are none before.
        """
        query_BHLD = rotate(self._split(self.query(x_BLD), self.query_norm), turn)
        key_BHLD = rotate(self._split(self.key(x_BLD), self.key_norm), turn)
        value_BHLD = self._split(self.value(x_BLD), None)
        before = 0 if cache is None else cache.length
        if cache is not None:
            key_BHLD, value_BHLD = cache.add(key_BHLD, value_BHLD)
        mask, causal = self._mask(before, x_BLD)
        gathered_BHLD = scaled_dot_product_attention(
            query_BHLD, key_BHLD, value_BHLD, attn_mask=mask, is_causal=causal, enable_gqa=True
        )
        return self.out(gathered_BHLD.transpose(1, 2).flatten(2)), []

    def _split(self, x_BLD: Tensor, norm: nn.Module | None) -> Tensor:
        """Give each head its features, normalised over all heads or within each."""
        if norm is not None and self.shape.norm == "all":
            x_BLD = norm(x_BLD)
        x_BLHD: Tensor = x_BLD.unflatten(-1, (-1, self.shape.size))
        if norm is not None and self.shape.norm == "each":
            x_BLHD = norm(x_BLHD)
        return x_BLHD.transpose(1, 2)

    def _mask(self, before: int, x_BLD: Tensor) -> tuple[Tensor | None, bool]:
        """Return which keys (columns) a query sees, or None and whether plain causality will do."""
        length, window = x_BLD.shape[1], self.shape.window
        short = window is None or before + length <= window
        if short and (length == 1 or not before):
            return None, length > 1
        query = torch.arange(before, before + length, device=x_BLD.device)[:, None]
        key = torch.arange(before + length, device=x_BLD.device)[None, :]
        seen = key <= query
        return (seen if window is None else seen & (query - key < window)), False
