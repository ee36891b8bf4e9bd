"""The layer: route, dispatch, return both the answer and the decision.

The contracts of its parts are in `moebench.moe.contract`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor, nn

from moebench.moe.contract import decide, num_experts_of
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.input_checks import check_tokens


class MoELayer(nn.Module):
    """A mixture of experts in place of a dense block.

    Args:
        router: decides which expert sees which token.
        experts: the functions that are mixed.
        dispatcher: carries tokens to experts and answers back.
        shared: experts that every token visits, added to the mixture; None for none.

    Raises:
        ValueError: for a part that is no module, such as a class.

    Example:
        router = routers.TopK(64, num_experts=8, k=2)
        layer = MoELayer(router, experts.SwiGLU(64, 8, hidden=128), dispatchers.Grouped())
        y, decision = layer(torch.randn(4, 16, 64))
    """

    def __init__(
        self,
        router: nn.Module,
        experts: nn.Module,
        dispatcher: nn.Module,
        shared: nn.Module | None = None,
    ) -> None:
        super().__init__()
        parts = {"router": router, "experts": experts, "dispatcher": dispatcher}
        for name, part in parts.items():
            if not isinstance(part, nn.Module):
                raise ValueError(f"{name}={part!r}: must be an instance of a torch.nn.Module")
        self.router = router
        self.experts = experts
        self.dispatcher = dispatcher
        self.shared = shared

    def forward(self, x: Tensor, real: Tensor | None = None) -> tuple[Tensor, RoutingDecision]:
        """Return the mixed answers, of the shape of x, and the decision that led to them.

        The T tokens of the decision are all vectors of x, row by row. Padding gets zeros, and no
        part sees it: the decision then covers the real tokens in their order, so losses, loads
        and capacity groups count no others.

        Args:
            x: the tokens, of the shape (..., D): one, a list of them, sequences of a batch.
            real: bool, of the shape (...), False for padding; None if all tokens are real.

        Raises:
            ValueError: if x is no tensor of vectors, or `real` is not one bool per token; for
                another width or dtype than that of the weights.
        """
        check_tokens(x, real)
        x_TD = x.reshape(-1, x.shape[-1])
        if real is None:
            y_TD, decision = self._mix(x_TD)
        else:
            token_N = real.flatten().nonzero().squeeze(-1)
            y_ND, decision = self._mix(x_TD.index_select(0, token_N))
            y_TD = y_ND.new_zeros(x_TD.shape).index_copy(0, token_N, y_ND)
        return y_TD.reshape(x.shape), decision

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

    router: Callable[[int], nn.Module]  # decides which expert sees which token
    experts: Callable[[int, int], nn.Module]  # the functions that are mixed
    dispatcher: Callable[[], nn.Module] = Grouped  # carries tokens to experts and back
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
