"""A slot in a model that holds a dense block, or a mixture of experts instead.

Both have the same interface, so the code around the slot need not know which it is.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), section 2 and figure 2.
"""

from collections.abc import Callable

from torch import Tensor, nn

from moebench.moe.decision import RoutingDecision
from moebench.moe.layer import MoELayer, Sparse


class Dense(nn.Module):
    """A dense block, which makes no decision.

    Args:
        block: maps x_BLD to y_BLD.
    """

    moe: MoELayer | None = None

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(
        self, x_BLD: Tensor, mask_BL: Tensor | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return y_BLD and no decision; tokens do not interact here, so padding does no harm."""
        return self.block(x_BLD), []


class Mixture(nn.Module):
    """A mixture of experts over the tokens of all sequences together.

    Args:
        moe: answers x_BLD with y_BLD and a decision on its T = B x L tokens.
    """

    def __init__(self, moe: MoELayer) -> None:
        super().__init__()
        self.moe = moe

    def forward(
        self, x_BLD: Tensor, mask_BL: Tensor | None = None
    ) -> tuple[Tensor, list[RoutingDecision]]:
        """Return y_BLD and the one decision behind it, over the tokens that are not padding."""
        y_BLD, decision = self.moe(x_BLD, mask_BL)
        return y_BLD, [decision]


def slot(
    sparse: Sparse | None,
    dim: int,
    dense: Callable[[], nn.Module],
    shared: Callable[[int], nn.Module] | None = None,
) -> Dense | Mixture:
    """Return a mixture of width D = `dim`, or without `sparse` the block that `dense` makes.

    `shared` makes, from the width, shared experts to add to the mixture.
    """
    if sparse is None:
        return Dense(dense())
    return Mixture(sparse.build(dim, None if shared is None else shared(dim)))
