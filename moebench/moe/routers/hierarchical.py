"""Two levels of gating: a token chooses groups of experts, then experts within each of them.

Source: Shazeer et al. 2017 (arXiv 1701.06538), appendix B, equation 12.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from moebench.moe.capacity.queues import place_in_queue
from moebench.moe.contract import decide, update
from moebench.moe.decision import RoutingDecision
from moebench.moe.hierarchy import HierarchicalDecision
from moebench.moe.routers.noisy_top_k import NoisyTopK
from moebench.moe.sees import Sees, all_seen, sees


class Hierarchical(nn.Module):
    """Router made of other routers: one over the groups, and one for each group.

    The weight of an expert is that of its group times its own within the group. The router of a
    group sees only the tokens sent there, so a token is scored against a few experts instead of
    all; `probs_TE` spreads the probability of a group not visited evenly over its experts.

    Args:
        dim: width D of a token.
        num_experts: number E of experts in all.
        groups: number of groups, each of E / groups consecutive experts.
        primary: makes the router over the groups, from the width and their number.
        secondary: makes the router of one group, from the width and its number of experts.

    Raises:
        ValueError: if the experts do not divide into that many groups.
    """

    def __init__(
        self,
        dim: int,
        num_experts: int,
        groups: int = 4,
        primary: Callable[[int, int], nn.Module] = NoisyTopK,
        secondary: Callable[[int, int], nn.Module] = NoisyTopK,
    ) -> None:
        super().__init__()
        if groups < 1 or num_experts < 1 or num_experts % groups:
            raise ValueError(f"groups={groups}: must divide num_experts={num_experts}")
        self.num_experts = num_experts
        self.primary = primary(dim, groups)
        self.secondary = nn.ModuleList(secondary(dim, num_experts // groups) for _ in range(groups))

    def sees(self, length: int | None, training: bool) -> Sees | None:
        """Return what the routers of both levels see; a group does not get whole sequences."""
        inner = [sees(router, None, training) for router in self.secondary]
        return all_seen(sees(self.primary, length, training), *inner)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        """Return the decision for x_TD, a `HierarchicalDecision`."""
        primary = decide(self.primary, x_TD)
        row_of = [(primary.expert_A == group).nonzero()[:, 0] for group in range(self._groups)]
        token_of = [primary.token_A[row_R] for row_R in row_of]
        secondary = [
            decide(router, x_TD.index_select(0, token_R))
            for router, token_R in zip(self.secondary, token_of, strict=True)
        ]
        size = self.num_experts // self._groups
        # The primary row behind each row, and the row's own expert and weight within the group.
        row_A = torch.cat([row_R[d.token_A] for row_R, d in zip(row_of, secondary, strict=True)])
        expert_A = torch.cat([d.expert_A + group * size for group, d in enumerate(secondary)])
        weight_A = primary.weight_A[row_A] * torch.cat([d.weight_A for d in secondary])
        kept_A = primary.kept_A[row_A] & torch.cat([d.kept_A for d in secondary])
        order_A = _first_choices_first(primary, secondary, row_A)
        probs_TE = _probabilities(primary, secondary, token_of)
        return HierarchicalDecision(
            logits_TE=probs_TE.clamp_min(torch.finfo(probs_TE.dtype).tiny).log(),
            probs_TE=probs_TE,
            token_A=primary.token_A[row_A][order_A],
            expert_A=expert_A[order_A],
            weight_A=weight_A[order_A],
            kept_A=kept_A[order_A],
            primary=primary,
            secondary=secondary,
            token_of=token_of,
        )

    def update(self, decisions: Sequence[HierarchicalDecision]) -> None:
        """Update the routers of both levels, each with its own decisions."""
        update(self.primary, [decision.primary for decision in decisions])
        for group, router in enumerate(self.secondary):
            update(router, [decision.secondary[group] for decision in decisions])

    @property
    def _groups(self) -> int:
        return len(self.secondary)


def _first_choices_first(
    primary: RoutingDecision, secondary: Sequence[RoutingDecision], row_A: Tensor
) -> Tensor:
    """Return the order of rows: by the choice of group, then within the group, then by token."""
    outer_A = _choice(primary)[row_A]
    inner_A = torch.cat([_choice(decision) for decision in secondary])
    choice_A = outer_A * (inner_A.max() + 1 if inner_A.numel() else 1) + inner_A
    return (choice_A * primary.num_tokens + primary.token_A[row_A]).argsort()


def _choice(decision: RoutingDecision) -> Tensor:
    """Return the rank of each row among the choices of its token, from 0."""
    return place_in_queue(decision.token_A, torch.ones_like(decision.kept_A))


def _probabilities(
    primary: RoutingDecision, secondary: Sequence[RoutingDecision], token_of: Sequence[Tensor]
) -> Tensor:
    """Return probs_TE, the product of both levels; it sums to one."""
    parts = []
    for group, (decision, token_R) in enumerate(zip(secondary, token_of, strict=True)):
        size = decision.num_experts
        within_TE = torch.full_like(primary.probs_TE[:, :1], 1 / size).repeat(1, size)
        within_TE = within_TE.index_copy(0, token_R, decision.probs_TE)
        parts.append(primary.probs_TE[:, group, None] * within_TE)
    return torch.cat(parts, dim=-1)
