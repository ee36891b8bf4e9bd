"""What a layer is compared with: every dispatcher, a dense block, and third-party blocks.

All are the same mixture with the same weights. A third-party block gets our weights in its own
layout and must reproduce our outputs before it is timed. Missing packages are reported.
"""

from collections.abc import Callable

from torch import nn

from benchmarks.gpu import peers
from benchmarks.gpu.items import needs
from benchmarks.gpu.mixture import Batched, Mixture, Shape, loaded
from benchmarks.layer import DenseSwiGLU, huggingface
from moebench.moe.dispatch import DISPATCHERS, Grouped
from moebench.moe.layer import MoELayer

Builder = Callable[[Mixture], nn.Module]
DENSE = "dense"


def builders() -> dict[str, Builder]:
    """Return name -> builder of each contender, the most valuable first."""
    own = {f"moebench {name}": _with(make) for name, make in DISPATCHERS.items()}
    slow = {name: own.pop(name) for name in list(own) if name.endswith((" buffers", " loop"))}
    return {
        **own,
        "huggingface grouped": lambda mixture: _huggingface(mixture, "grouped_mm"),
        "liger-kernel": peers.liger,
        "sonic-moe": peers.sonic,
        "scattermoe": peers.scattermoe,
        "megablocks": peers.megablocks,
        **slow,
        "huggingface eager": lambda mixture: _huggingface(mixture, "eager"),
    }


def dense(shape: Shape) -> nn.Module:
    """Return the dense block of equal active size."""
    return DenseSwiGLU(shape.dim, shape.k * shape.hidden)


def ours(mixture: Mixture, dispatcher: Callable[[], nn.Module] = Grouped) -> nn.Module:
    """Return our layer, which shares the mixture's weights instead of copying them."""
    return MoELayer(mixture.router, mixture.experts, dispatcher())


def _with(dispatcher: Callable[[], nn.Module]) -> Builder:
    """Return a builder of our layer with this dispatcher."""
    return lambda mixture: ours(mixture, dispatcher)


def _huggingface(mixture: Mixture, implementation: str) -> nn.Module:
    """Return transformers' Mixtral block."""
    needs("transformers")
    block = huggingface(mixture.shape, implementation)
    names = {
        "gate.weight": mixture.router.score.weight,
        "experts.gate_up_proj": mixture.gate_up_EFD,
        "experts.down_proj": mixture.down_EDF,
    }
    return Batched(loaded(block, names))
