"""Causal attention whose keys and values are computed from a narrow latent vector.

Source: DeepSeek-AI 2024, DeepSeek-V2 (arXiv 2405.04434), section 2.1, equations 9 to 19.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from moebench.models.grouped_query import attend
from moebench.models.kv_cache import KVCache
from moebench.models.rotary import Rotation
from moebench.moe.decision import RoutingDecision

EPSILON = 1e-6  # of the norms of latent vectors


@dataclass(frozen=True)
class Latent:
    """The widths of latent attention.

    Raises:
        ValueError: if one is below 1, or that of the rotated features is odd.
    """

    kv_rank: int = 512  # width of the latent vector of keys and values
    query_rank: int | None = 1536  # width of that of queries; None: queries come from the token
    plain: int = 128  # features of a head that are not rotated by position
    turned: int = 64  # features of a head that are rotated; all heads share those of keys
    value: int = 128  # features of a head's values
    bias: bool = False  # whether the projections from and to the token add a vector
    scale: float = 1.0  # extra factor on the scores

    def __post_init__(self) -> None:
        for name in ("kv_rank", "query_rank", "plain", "turned", "value"):
            width = getattr(self, name)
            if width is not None and width < 1:
                raise ValueError(f"latent.{name}={width}: must be at least 1")
        if self.turned % 2:
            raise ValueError(f"latent.turned={self.turned}: rotary positions need an even number")


class LatentAttention(nn.Module):
    """Multi-head latent attention.

    Args:
        dim: width D of tokens.
        heads: number H of heads.
        latent: the widths inside.
    """

    def __init__(self, dim: int, heads: int, latent: Latent) -> None:
        super().__init__()
        self.latent = latent
        self.heads = heads
        self.rotary_width = latent.turned
        width = heads * (latent.plain + latent.turned)
        if latent.query_rank is None:
            self.query = nn.Linear(dim, width, bias=False)
        else:
            self.query_down = nn.Linear(dim, latent.query_rank, bias=latent.bias)
            self.query_norm = nn.RMSNorm(latent.query_rank, eps=EPSILON)
            self.query = nn.Linear(latent.query_rank, width, bias=False)
        self.kv_down = nn.Linear(dim, latent.kv_rank + latent.turned, bias=latent.bias)
        self.kv_norm = nn.RMSNorm(latent.kv_rank, eps=EPSILON)
        self.kv = nn.Linear(latent.kv_rank, heads * (latent.plain + latent.value), bias=False)
        self.out = nn.Linear(heads * latent.value, dim, bias=latent.bias)

    def forward(
        self, x_BLD: Tensor, rotation: Rotation, cache: KVCache | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return the attended values, and no decision.

        Args:
            x_BLD: the tokens.
            rotation: that of their positions.
            cache: keys and values of earlier tokens, to which these are added; None for none.
        """
        latent = self.latent
        of_query = x_BLD
        if latent.query_rank is not None:
            of_query = self.query_norm(self.query_down(x_BLD))
        query_BHLR = self._heads(self.query(of_query))
        plain, turned = query_BHLR.split([latent.plain, latent.turned], dim=-1)
        query_BHLR = torch.cat([plain, rotation.rotate(turned)], dim=-1)

        narrow, turned_BLR = self.kv_down(x_BLD).split([latent.kv_rank, latent.turned], dim=-1)
        both_BHLR = self._heads(self.kv(self.kv_norm(narrow)))
        plain, value_BHLR = both_BHLR.split([latent.plain, latent.value], dim=-1)
        shared_BHLR = rotation.rotate(turned_BLR[:, None]).expand(-1, self.heads, -1, -1)
        key_BHLR = torch.cat([plain, shared_BHLR], dim=-1)
        if cache is not None:
            key_BHLR, value_BHLR = cache.extend(key_BHLR, value_BHLR)
        scale = latent.scale * (latent.plain + latent.turned) ** -0.5
        attended_BHLR = attend(query_BHLR, key_BHLR, value_BHLR, rotation, scale)
        return self.out(attended_BHLR.transpose(1, 2).flatten(2)), []

    def _heads(self, x_BLD: Tensor) -> Tensor:
        """Split the width into heads."""
        x_BLHR: Tensor = x_BLD.unflatten(-1, (self.heads, -1))
        return x_BLHR.transpose(1, 2)
