"""A mixture in its simplest form: its size, its weights, and the layouts that others need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from moebench.moe.experts import SwiGLU
from moebench.moe.routers import TopK


@dataclass(frozen=True)
class Shape:
    """The shape of a layer: T tokens of width D, E experts with F features, K experts per token."""

    name: str
    tokens: int
    dim: int
    hidden: int
    experts: int
    k: int

    @property
    def flops(self) -> float:
        """FLOPs of a forward pass without the router; backward takes twice as many."""
        return 2.0 * self.tokens * self.k * 3 * self.dim * self.hidden

    @property
    def weights(self) -> int:
        """Number of parameters of the experts."""
        return 3 * self.experts * self.dim * self.hidden


class Mixture(nn.Module):
    """The router and the experts whose weights every contender uses."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.router = TopK(shape.dim, shape.experts, shape.k)
        self.experts = SwiGLU(shape.dim, shape.experts, shape.hidden)

    @property
    def gate_up_EFD(self) -> Tensor:
        """Weights of gate and up, one row per feature, in the common layout: gate before up."""
        return self.experts.gate_up_EDF.detach().transpose(1, 2).contiguous()

    @property
    def down_EDF(self) -> Tensor:
        """Weights of down, one row per output feature."""
        return self.experts.down_EFD.detach().transpose(1, 2).contiguous()


class Batched(nn.Module):
    """Adapts a block that takes sequences to tokens."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, x_TD: Tensor) -> Tensor:
        """Return y_TD."""
        y_1TD = self.block(x_TD[None])
        answer: Tensor = y_1TD[0] if isinstance(y_1TD, tuple) else y_1TD
        return answer[0] if answer.dim() == 3 else answer


class Routed(nn.Module):
    """Our router in front of third-party experts.

    Args:
        router: the mixture's router.
        experts: a module with the experts' weights.
        call: calls it with x_TD, expert_TK and weight_TK.
    """

    def __init__(
        self,
        router: TopK,
        experts: nn.Module,
        call: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor],
    ) -> None:
        super().__init__()
        self.router = router
        self.experts = experts
        self.call = call

    def forward(self, x_TD: Tensor) -> Tensor:
        """Return y_TD."""
        decision = self.router(x_TD)
        expert_TK = decision.expert_A.view(self.router.k, -1).T
        weight_TK = decision.weight_A.view(self.router.k, -1).T.to(x_TD.dtype)
        return self.call(self.experts, x_TD, expert_TK.contiguous(), weight_TK.contiguous())


def loaded(block: nn.Module, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return a block with exactly these weights, in their type and on their device."""
    own = dict(block.named_parameters())
    if set(own) != set(weights):
        raise ValueError(f"its parameters are {sorted(own)}, not {sorted(weights)}")
    for name, weight in weights.items():
        own[name].data = weight.detach().reshape(own[name].shape).clone()
    return block
