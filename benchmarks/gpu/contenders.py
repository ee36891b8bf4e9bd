"""What a layer is timed against: every dispatcher, a dense block, and the blocks of others.

All are the same mixture with the same weights; a block of others gets ours in its own layout, and
has to give our answers before it is timed. Those of packages that are not installed say so.
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
    """Return what makes each contender, those that are worth most first."""
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
    """Return a layer of ours; it has the weights themselves, not copies of them."""
    return MoELayer(mixture.router, mixture.experts, dispatcher())


def _with(dispatcher: Callable[[], nn.Module]) -> Builder:
    """Return what makes a layer of ours with a dispatcher."""
    return lambda mixture: ours(mixture, dispatcher)


def _huggingface(mixture: Mixture, implementation: str) -> nn.Module:
    """Return the Mixtral block of transformers."""
    needs("transformers")
    block = huggingface(mixture.shape, implementation)
    names = {
        "gate.weight": mixture.router.score.weight,
        "experts.gate_up_proj": mixture.gate_up_EFD,
        "experts.down_proj": mixture.down_EDF,
    }
    return Batched(loaded(block, names))
