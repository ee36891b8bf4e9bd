"""The parts of a decoder, by which its published architecture is found."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from moebench.models.decoder import Mixtral
from moebench.models.feed_forward import Mixture
from moebench.models.multipliers import NO_MULTIPLIERS
from moebench.moe.experts.swiglu import SwiGLU


@dataclass(frozen=True)
class Parts:
    """The parts of a decoder; those of a layer are taken from its first layer or mixture."""

    model: Mixtral
    attention: Any
    router: Any
    shared: nn.Module | None
    sparse: list[int]  # numbers of the layers with a mixture, from 0
    num_experts: int
    hidden: int  # F of an expert

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
        ValueError: if it is no `Mixtral` with mixtures of SwiGLU experts.
    """
    if not isinstance(model, Mixtral):
        raise ValueError(f"{type(model).__name__}: only Mixtral decoders can be written")
    inner = [
        model.get_submodule(f"blocks.{n}.feed_forward.inner") for n in range(len(model.blocks))
    ]
    mixtures = {n: part.moe for n, part in enumerate(inner) if isinstance(part, Mixture)}
    if not mixtures:
        raise ValueError("Mixtral: has no mixture of experts, so it is no MoE checkpoint")
    first = next(iter(mixtures.values()))
    if not isinstance(first.experts, SwiGLU):
        raise ValueError(f"Mixtral: experts are {type(first.experts).__name__}, must be SwiGLU")
    num_experts, hidden, _ = first.experts.down_EFD.shape
    attention = model.get_submodule("blocks.0.attention.inner")
    return Parts(model, attention, first.router, first.shared, list(mixtures), num_experts, hidden)
