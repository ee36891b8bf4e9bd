"""Which tensor of a checkpoint is which part of which parameter here.

This file has the names of Llama's decoder, which all supported checkpoints share; names peculiar to
an architecture are in its own file.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor, nn

from moebench.models.decoder import RotaryDecoder
from moebench.moe.layer import MoELayer


@dataclass(frozen=True)
class TensorMapping:
    """A tensor of a checkpoint, and the parameter or buffer that it is, or is a part of."""

    theirs: str
    ours: str
    expert: int | None = None  # its index in stacked weights, which are transposed here
    rows: tuple[int, int] | None = None  # first and end, of that matrix in the checkpoint
    stacked: bool = False  # whether it holds the matrices of all experts, transposed here
    row: bool = False  # whether it is a matrix of one row, a vector here

    def view(self, state: dict[str, Tensor]) -> Tensor:
        """Return the part of our tensors that it maps to, in its shape in the checkpoint."""
        tensor = state[self.ours]
        if self.stacked:
            return tensor.transpose(1, 2)
        if self.row:
            return tensor[None]
        if self.expert is None:
            return tensor
        first, end = self.rows or (0, None)
        return tensor[self.expert].T[first:end]


Names = Callable[[nn.Module, str, str], Iterator[TensorMapping]]
MixtureNames = Callable[[MoELayer, str, str], Iterator[TensorMapping]]


def decoder(
    model: RotaryDecoder, attention: Names, mixture: MixtureNames
) -> Iterator[TensorMapping]:
    """Yield all mappings of a decoder.

    Args:
        model: the decoder.
        attention: yields the mappings of an attention module, given it and the two prefixes.
        mixture: does the same for a `MoELayer`, given the prefix of the decoder's layer.
    """
    yield TensorMapping("model.embed_tokens.weight", "embedding.weight")
    for layer, moe in enumerate(model.mixtures):
        theirs, ours = f"model.layers.{layer}.", f"blocks.{layer}."
        inner = model.get_submodule(f"{ours}attention.inner")
        yield TensorMapping(f"{theirs}input_layernorm.weight", f"{ours}attention.norm.weight")
        yield from attention(inner, f"{theirs}self_attn.", f"{ours}attention.inner.")
        yield TensorMapping(
            f"{theirs}post_attention_layernorm.weight", f"{ours}feed_forward.norm.weight"
        )
        if moe is not None:
            yield from mixture(moe, theirs, f"{ours}feed_forward.inner.moe.")
        else:
            block = f"{ours}feed_forward.inner.block.expert"
            yield from swiglu(model.get_submodule(block), f"{theirs}mlp.", f"{block}.", 0)
    yield TensorMapping("model.norm.weight", "norm.weight")
    if not model.shape.tied:
        yield TensorMapping("lm_head.weight", "output.weight")


def grouped_query(attention: nn.Module, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of grouped-query attention, with biases and norms if it has them."""
    names = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "out": "o_proj"}
    names |= {"query_norm": "q_norm", "key_norm": "k_norm"}
    yield from linears(attention, names, theirs, ours)


def latent(attention: nn.Module, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the mappings of latent attention, with or without a latent vector for queries."""
    narrow = hasattr(attention, "query_down")
    names = {
        "query_down": "q_a_proj",
        "query_norm": "q_a_layernorm",
        "query": "q_b_proj" if narrow else "q_proj",
        "kv_down": "kv_a_proj_with_mqa",
        "kv_norm": "kv_a_layernorm",
        "kv": "kv_b_proj",
        "out": "o_proj",
    }
    yield from linears(attention, names, theirs, ours)


def linears(
    module: nn.Module, names: dict[str, str], theirs: str, ours: str
) -> Iterator[TensorMapping]:
    """Yield weights and biases of those submodules that exist; `names` maps ours to theirs."""
    for here, there in names.items():
        for kind in ("weight", "bias"):
            if getattr(getattr(module, here, None), kind, None) is not None:
                yield TensorMapping(f"{theirs}{there}.{kind}", f"{ours}{here}.{kind}")


def swiglu(
    experts: nn.Module,
    theirs: str,
    ours: str,
    expert: int,
    names: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj"),
) -> Iterator[TensorMapping]:
    """Yield the three matrices of one expert; `names` are those of gate, up and down."""
    gate, up, down = (f"{theirs}{name}.weight" for name in names)
    hidden = experts.get_parameter("down_EFD").shape[1]
    yield TensorMapping(gate, f"{ours}gate_up_EDF", expert, (0, hidden))
    yield TensorMapping(up, f"{ours}gate_up_EDF", expert, (hidden, 2 * hidden))
    yield TensorMapping(down, f"{ours}down_EFD", expert)


def expert_list(
    layer: MoELayer,
    theirs: str,
    ours: str,
    names: tuple[str, str, str] = ("gate_proj", "up_proj", "down_proj"),
) -> Iterator[TensorMapping]:
    """Yield the experts of a mixture, numbered in the checkpoint."""
    for expert in range(layer.experts.get_parameter("down_EFD").shape[0]):
        there = f"{theirs}experts.{expert}."
        yield from swiglu(layer.experts, there, f"{ours}experts.", expert, names)


def shared_expert(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the shared experts of a mixture, which form one block."""
    yield from swiglu(layer.get_submodule("shared.expert"), theirs, f"{ours}shared.expert.", 0)


def routed(layer: MoELayer, theirs: str, ours: str) -> Iterator[TensorMapping]:
    """Yield the router and the experts of a mixture called `mlp`."""
    yield TensorMapping(f"{theirs}mlp.gate.weight", f"{ours}router.score.weight")
    yield from expert_list(layer, f"{theirs}mlp.", ours)
