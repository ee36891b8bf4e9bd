"""The layer: route, dispatch, return both the answer and the decision.

The contracts of its parts are in `moebench.moe.contract`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from moebench.moe.contract import decide, num_experts_of
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.grouped import Grouped


class MoELayer(nn.Module):
    """A mixture of experts in place of a dense block.

    Args:
        router: decides which expert sees which token.
        experts: the functions that are mixed.
        dispatcher: carries tokens to experts and answers back.
        shared: experts that every token visits, added to the mixture; None for none.
    """

    def __init__(
        self,
        router: nn.Module,
        experts: nn.Module,
        dispatcher: nn.Module,
        shared: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.router = router
        self.experts = experts
        self.dispatcher = dispatcher
        self.shared = shared

    def forward(self, x_TD: Tensor, real_T: Tensor | None = None) -> tuple[Tensor, RoutingDecision]:
        """Return the mixed answers y_TD and the decision that led to them.

        Padding gets zeros, and no part sees it: the decision covers the real tokens in their order,
        so losses, loads and capacity groups count no others.

        Args:
            x_TD: the tokens.
            real_T: bool, False for padding; None if all tokens are real.

        Raises:
            ValueError: if `real_T` is not one bool per token.
        """
        if real_T is None:
            return self._mix(x_TD)
        if real_T.shape != x_TD.shape[:1] or real_T.dtype != torch.bool:
            found = f"{real_T.dtype} of the shape {tuple(real_T.shape)}"
            raise ValueError(f"real_T: is {found}; must be torch.bool of {tuple(x_TD.shape[:1])}")
        token_N = real_T.nonzero().squeeze(-1)
        y_ND, decision = self._mix(x_TD.index_select(0, token_N))
        return y_ND.new_zeros(x_TD.shape).index_copy(0, token_N, y_ND), decision

    def _mix(self, x_TD: Tensor) -> tuple[Tensor, RoutingDecision]:
        """Return the answers to tokens that are all real, and the decision."""
        decision = decide(self.router, x_TD)
        y_TD = self.dispatcher(x_TD, decision, self.experts)
        return (y_TD if self.shared is None else y_TD + self.shared(x_TD)), decision


@dataclass(frozen=True)
class Sparse:
    """Which blocks of a model are mixtures, and what they are made of.

    `router` is called with the width D, `experts` with the width and the number of experts E.
    """

    router: Callable[[int], nn.Module]
    experts: Callable[[int, int], nn.Module]
    dispatcher: Callable[[], nn.Module] = Grouped
    every: int = field(default=2)  # blocks; the n-th, 2n-th, ... are mixtures

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"sparse.every={self.every}: must be at least 1 (every block)")

    def build(self, dim: int, shared: nn.Module | None = None) -> MoELayer:
        """Build one layer of width D = `dim`, with shared experts if any are given.

        Raises:
            ValueError: if the router does not say how many experts it has.
        """
        router = self.router(dim)
        experts = self.experts(dim, num_experts_of(router))
        return MoELayer(router, experts, self.dispatcher(), shared)
