"""Which tensors of a checkpoint make up which parameter here, and back."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from moebench.interop.checkpoint import Checkpoint

ENDS = {
    "embedding.weight": "model.embed_tokens.weight",
    "norm.weight": "model.norm.weight",
    "head.weight": "lm_head.weight",
}
IN_LAYER = {
    "attention_norm": "input_layernorm",
    "feed_forward_norm": "post_attention_layernorm",
    "attention.query": "self_attn.q_proj",
    "attention.key": "self_attn.k_proj",
    "attention.value": "self_attn.v_proj",
    "attention.out": "self_attn.o_proj",
    "attention.query_norm": "self_attn.q_norm",
    "attention.key_norm": "self_attn.k_norm",
    "feed_forward.block.gate": "mlp.gate_proj",
    "feed_forward.block.up": "mlp.up_proj",
    "feed_forward.block.down": "mlp.down_proj",
    "feed_forward.shared.gate": "mlp.shared_expert.gate_proj",
    "feed_forward.shared.up": "mlp.shared_expert.up_proj",
    "feed_forward.shared.down": "mlp.shared_expert.down_proj",
    "feed_forward.gate": "mlp.shared_expert_gate",
}


@dataclass(frozen=True)
class Naming:
    """What a family of checkpoints calls the parts of a mixture."""

    moe: str = "mlp"
    gate: str = "gate_proj"
    up: str = "up_proj"
    down: str = "down_proj"


class Source(Protocol):
    """Where a parameter comes from, and what it becomes when it is saved."""

    @property
    def names(self) -> Sequence[str]:
        """The tensors of the checkpoint that it is made of."""
        ...

    def fill(self, parameter: Tensor, checkpoint: Checkpoint) -> None:
        """Copy the tensors into the parameter."""

    def split(self, parameter: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield the tensors of a parameter."""
        ...


@dataclass(frozen=True)
class Whole:
    """One tensor that is the parameter."""

    name: str

    @property
    def names(self) -> Sequence[str]:
        """The one name."""
        return (self.name,)

    def fill(self, parameter: Tensor, checkpoint: Checkpoint) -> None:
        """Copy it."""
        _copy(parameter, checkpoint, self.name)

    def split(self, parameter: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield it."""
        yield self.name, parameter


@dataclass(frozen=True)
class Stacked:
    """One or two transposed matrices an expert, side by side: a parameter (E, D, F) or (E, D, 2F).

    Args:
        parts: names by part; one name an expert in each.
    """

    parts: Sequence[Sequence[str]]

    @property
    def names(self) -> Sequence[str]:
        """All names."""
        return [name for part in self.parts for name in part]

    def fill(self, parameter: Tensor, checkpoint: Checkpoint) -> None:
        """Copy every matrix to its place."""
        for name, place in self.split(parameter):
            _copy(place, checkpoint, name)

    def split(self, parameter: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Yield every matrix, a view into the parameter."""
        columns = parameter.chunk(len(self.parts), dim=-1)
        for part, column_EDF in zip(self.parts, columns, strict=True):
            for name, weight_DF in zip(part, column_EDF, strict=True):
                yield name, weight_DF.T


def _copy(place: Tensor, checkpoint: Checkpoint, name: str) -> None:
    """Copy a tensor into a place of its shape."""
    tensor = checkpoint.read(name)
    if tensor.shape != place.shape:
        raise ValueError(
            f"{name}: has the shape {tuple(tensor.shape)}, the configuration asks for "
            f"{tuple(place.shape)}"
        )
    place.copy_(tensor)


def source_of(parameter: str, naming: Naming, num_experts: int) -> Source:
    """Return where a parameter of `CausalDecoder` comes from.

    Args:
        parameter: its name here.
        naming: of the family of checkpoints.
        num_experts: of every mixture.
    """
    if parameter in ENDS:
        return Whole(ENDS[parameter])
    _, layer, rest = parameter.split(".", 2)
    prefix = f"model.layers.{layer}"
    stem, _, kind = rest.rpartition(".")
    if stem in IN_LAYER:
        return Whole(f"{prefix}.{IN_LAYER[stem]}.{kind}")
    moe = f"{prefix}.{naming.moe}"
    if stem.endswith("moe.router.score"):
        return Whole(f"{moe}.gate.weight")

    def each(part: str) -> list[str]:
        return [f"{moe}.experts.{expert}.{part}.weight" for expert in range(num_experts)]

    if kind == "gate_up_EDF":
        return Stacked([each(naming.gate), each(naming.up)])
    if kind == "down_EFD":
        return Stacked([each(naming.down)])
    raise ValueError(f"{parameter}: no checkpoint has a name for it")
