"""Hash routing by a table that is balanced: frequent buckets are spread over the experts.

Source: Roller et al. 2021, Hash layers (arXiv 2106.04426), section 3, "balanced hash".
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.devices import total
from moebench.moe.routers.hash_table import HashedDecision, check_buckets, look_up
from moebench.moe.routers.hashed import directions
from moebench.moe.sees import Sees


def balanced_table(count_B: Tensor, num_experts: int) -> Tensor:
    """Return table_B: each bucket, the most frequent first, to the expert with the least so far."""
    load, table = [0] * num_experts, [0] * len(count_B)
    count = count_B.tolist()
    for bucket in count_B.argsort(descending=True, stable=True).tolist():
        expert = load.index(min(load))
        table[bucket] = expert
        load[expert] += max(1, count[bucket])  # buckets not seen yet are spread, too
    return torch.tensor(table, device=count_B.device)


class BalancedHash(nn.Module):
    """Router that hashes a token's vector to a bucket, from a table filled by frequency.

    Over the first optimiser steps it counts how often each bucket occurs, and then fills the table
    once and for all; meanwhile buckets go to the experts in turn. The rest is as for `HashTable`.

    Args:
        dim: width D of a token.
        num_experts: number E of experts to choose from.
        buckets: number B of buckets.
        counted: optimiser steps whose tokens are counted.
        seed: seed of the directions, which do not depend on the seed of the run.

    Raises:
        ValueError: for fewer buckets than experts, no steps to count, or a seed that no generator
            takes.
    """

    direction_BD: Tensor
    table_B: Tensor
    count_B: Tensor
    step: Tensor
    sees = Sees.TOKEN
    k = 1  # experts each token is sent to

    def __init__(
        self, dim: int, num_experts: int, buckets: int = 512, counted: int = 20, seed: int = 0
    ) -> None:
        super().__init__()
        check_buckets(buckets, num_experts)
        if counted < 1:
            raise ValueError(f"counted={counted}: must be at least 1 step")
        self.num_experts, self.counted = num_experts, counted
        self.register_buffer("direction_BD", directions(dim, buckets, seed))
        self.register_buffer("table_B", torch.arange(buckets) % num_experts)
        self.register_buffer("count_B", torch.zeros(buckets, dtype=torch.int64))
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, a `HashedDecision`."""
        return look_up(x_TD, self.direction_BD, self.table_B, self.num_experts)

    def update(self, decisions: Sequence[RoutingDecision]) -> None:
        """Count the buckets of a step, on all devices; fill the table after the last to count.

        Raises:
            ValueError: for a decision of another router.
        """
        self.step.add_(1)
        if int(self.step) > self.counted:
            return
        for decision in decisions:
            if not isinstance(decision, HashedDecision):
                kind = type(decision).__name__
                raise ValueError(f"BalancedHash: a {kind} does not say the buckets of its tokens")
            self.count_B.add_(total(decision.bucket_T.bincount(minlength=len(self.count_B))))
        if int(self.step) == self.counted:
            self.table_B.copy_(balanced_table(self.count_B, self.num_experts))
