"""The parts of a decoder, by which its published architecture is found."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from moebench.models.decoder import RotaryDecoder
from moebench.models.multipliers import NO_MULTIPLIERS
from moebench.moe.contract import num_experts_of
from moebench.moe.experts.swiglu import SwiGLU


@dataclass(frozen=True)
class Parts:
    """The parts of a decoder; those of a layer are taken from its first layer or mixture."""

    model: RotaryDecoder
    attention: Any
    router: Any
    shared: nn.Module | None
    sparse: list[int]  # numbers of the layers with a mixture, from 0
    num_experts: int
    hidden: int  # F of an expert

    @property
    def shared_hidden(self) -> int:
        """Width F of all shared experts together, zero without any."""
        shared: Any = self.shared
        return 0 if shared is None else shared.hidden

    @property
    def all_sparse(self) -> bool:
        """Whether every layer has a mixture."""
        return len(self.sparse) == self.model.shape.layers

    @property
    def multiplied(self) -> bool:
        """Whether constant multipliers act on the model's activations."""
        scale = getattr(self.attention, "scale", None)
        return scale is not None or self.model.shape.multipliers != NO_MULTIPLIERS

    @property
    def dense(self) -> list[int]:
        """Numbers of the layers without a mixture."""
        return [n for n in range(self.model.shape.layers) if n not in self.sparse]


def parts_of(model: nn.Module) -> Parts:
    """Return the parts of a model.

    Raises:
        ValueError: if it is no `RotaryDecoder` with mixtures of SwiGLU experts.
    """
    if not isinstance(model, RotaryDecoder):
        raise ValueError(f"{type(model).__name__}: only a RotaryDecoder can be written")
    mixtures = {n: layer for n, layer in enumerate(model.mixtures) if layer is not None}
    if not mixtures:
        raise ValueError("RotaryDecoder: has no mixture of experts, so it is no MoE checkpoint")
    first = next(iter(mixtures.values()))
    if not isinstance(first.experts, SwiGLU):
        raise ValueError(
            f"RotaryDecoder: experts are {type(first.experts).__name__}, must be SwiGLU"
        )
    num_experts, hidden = num_experts_of(first.router), first.experts.hidden
    attention = model.get_submodule("blocks.0.attention.inner")
    return Parts(model, attention, first.router, first.shared, list(mixtures), num_experts, hidden)
