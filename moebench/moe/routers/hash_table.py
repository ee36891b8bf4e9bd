"""Hash routing by a table: a token's bucket is looked up, and nothing is learned.

Source: Roller et al. 2021, Hash layers (arXiv 2106.04426), section 3, "random hash" and "clustered
hash"; the buckets are cross-polytope hashes, Andoni et al. 2015 (arXiv 1509.02897), section 3.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor, nn

from moebench.moe.autocast import without_autocast
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.routers.hashed import directions
from moebench.moe.routers.score import at_least_float32
from moebench.moe.sees import Sees

Table = Literal["random", "clustered"]


@dataclass(frozen=True, kw_only=True)
class HashedDecision(RoutingDecision):
    """Each token's expert is that of its bucket."""

    bucket_T: Tensor  # int64 in [0, B)


def look_up(x_TD: Tensor, direction_BD: Tensor, table_B: Tensor, experts: int) -> HashedDecision:
    """Return the decision that sends each token to the expert of its nearest direction."""
    with torch.no_grad(), without_autocast(x_TD):
        x_TD = at_least_float32(x_TD)
        bucket_T = (x_TD @ direction_BD.to(x_TD.dtype).T).argmax(dim=-1)
        expert_T1 = table_B[bucket_T][:, None]
        probs_TE = x_TD.new_zeros(len(x_TD), experts).scatter_(1, expert_T1, 1.0)
    chosen = tokens_choose(probs_TE, probs_TE, expert_T1, torch.ones_like(probs_TE[:, :1]))
    return HashedDecision(**vars(chosen), bucket_T=bucket_T)


def check_buckets(buckets: int, num_experts: int) -> None:
    """Raise ValueError unless there is an expert, and a bucket for each."""
    if num_experts < 1:
        raise ValueError(f"num_experts={num_experts}: a router needs at least 1 expert")
    if buckets < num_experts:
        raise ValueError(f"buckets={buckets}: must be at least num_experts={num_experts}")


class HashTable(nn.Module):
    """Router that hashes a token's vector to a bucket and sends each bucket to a fixed expert.

    The paper hashes the token's identity, which a layer does not see: equal vectors meet the same
    expert here, so in the first layers mostly equal tokens. The weight is one, as nothing is
    learned. The cost is that of B directions in place of E scores.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        table: `random`: a bucket's expert is drawn; `clustered`: near buckets share an expert, that
            of the nearest of E further directions.
        buckets: number B of buckets.
        seed: seed of directions and table, which do not depend on the seed of the run.

    Raises:
        ValueError: for an unknown table, fewer buckets than experts, or a seed that no generator
            takes.
    """

    direction_BD: Tensor
    table_B: Tensor
    sees = Sees.TOKEN
    k = 1  # experts each token is sent to

    def __init__(
        self,
        dim: int,
        num_experts: int,
        table: Table = "random",
        buckets: int = 512,
        seed: int = 0,
    ) -> None:
        super().__init__()
        check_buckets(buckets, num_experts)
        if table not in get_args(Table):
            raise ValueError(f"table={table}: must be one of {', '.join(get_args(Table))}")
        self.num_experts = num_experts
        direction_BD = directions(dim, buckets, seed)
        if table == "random":
            generator = torch.Generator().manual_seed(seed + 1)
            table_B = torch.randint(num_experts, (buckets,), generator=generator)
        else:
            table_B = (direction_BD @ directions(dim, num_experts, seed + 1).T).argmax(dim=-1)
        self.register_buffer("direction_BD", direction_BD)
        self.register_buffer("table_B", table_B)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, a `HashedDecision`."""
        return look_up(x_TD, self.direction_BD, self.table_B, self.num_experts)
