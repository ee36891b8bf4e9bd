"""One layer on the GPU: time and memory of a pass, against a dense block and a matrix product.

Each contender is timed in turn with the dense block of equal active size and with a large product
of square matrices, whose rate shows what the GPU can do at that moment. A pass is one of training:
what backward needs is kept, and discarded if there is no backward.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu.contenders import DENSE, builders, dense, ours
from benchmarks.gpu.items import Item
from benchmarks.gpu.memory import answer_of, held
from benchmarks.gpu.mixture import Mixture, Shape
from benchmarks.gpu.session import Session
from benchmarks.layer import step
from benchmarks.timing import in_turn, ratios

SHAPES = [
    Shape("64 experts, 6 a token", tokens=16384, dim=2048, hidden=1408, experts=64, k=6),
    Shape("Mixtral", tokens=16384, dim=4096, hidden=14336, experts=8, k=2),
    Shape("128 narrow experts", tokens=16384, dim=1536, hidden=256, experts=128, k=8),
    Shape("as others publish", tokens=32768, dim=2048, hidden=768, experts=128, k=8),
]
SMALL = [Shape("small", tokens=32, dim=16, hidden=16, experts=4, k=2)]
DTYPE = torch.bfloat16
SQUARE = 8192  # size of the matrices in the reference product
PRODUCT = "product of matrices"
BLOCK = 0.02  # seconds of calls between clock readings, so that reading it costs nothing
ROUNDS = 7
# A block with its weights in a wrong layout is off by as much as the outputs themselves. One that
# scores tokens in bfloat16 only sends some of them to other experts.
WRONG = 0.5


def run(session: Session) -> None:
    """Time every contender in every shape."""
    shapes = SMALL if session.small else SHAPES
    pairs = [(fitting(wanted, memory(session.device)), wanted.tokens) for wanted in shapes]
    for shape, asked in pairs:
        if shape.tokens < asked:
            print(f"layer: {shape.name}: {shape.tokens} of {asked} tokens fit", flush=True)
    session.work_on(items(session.device, pairs))


def items(device: torch.device, shapes: Sequence[tuple[Shape, int]]) -> Iterator[Item]:
    """Yield a timing for each contender and shape, the most valuable contenders first.

    Args:
        device: the device to measure on.
        shapes: each shape with the number of tokens requested.
    """
    for name in builders():
        for shape, asked in shapes:
            case = Case(device, shape, name, asked)
            yield Item("layer", f"{shape.name}: {name}", name, 10.0, case)


def memory(device: torch.device) -> float:
    """Return the bytes of the GPU; infinite without one."""
    if device.type != "cuda":
        return float("inf")
    return float(torch.cuda.get_device_properties(device).total_memory)


def fitting(shape: Shape, room: float) -> Shape:
    """Return the shape with its number of tokens halved until it fits into memory.

    Weights are ours, the contender's and the dense block's, with gradients. Activations of a row
    are its input, gate, up, their product and the output, and the same again in backward.
    """
    itemsize = DTYPE.itemsize
    weights = itemsize * (4 * shape.weights + 6 * shape.k * shape.dim * shape.hidden)
    row = itemsize * 4 * (2 * shape.dim + 3 * shape.hidden)
    while weights + shape.tokens * shape.k * row > 0.9 * room and shape.tokens > 1:
        shape = replace(shape, tokens=shape.tokens // 2)
    return shape


@dataclass(frozen=True)
class Case:
    """One contender in one shape."""

    device: torch.device
    shape: Shape
    name: str
    asked: int  # tokens

    def __call__(self) -> Mapping[str, Any]:
        """Return times, rates and memory of a pass, forward only and forward with backward."""
        torch.manual_seed(0)
        with self.device:
            mixture = Mixture(self.shape).to(DTYPE)
            floor = dense(self.shape).to(DTYPE)
            x_TD = torch.randn(self.shape.tokens, self.shape.dim, dtype=DTYPE, requires_grad=True)
            square = torch.randn(2, self._square, self._square, dtype=DTYPE)
            block = builders()[self.name](mixture).to(self.device, DTYPE)
        error = _error(block, mixture, x_TD)
        found: dict[str, Any] = {
            "shape": vars(self.shape) | {"tokens asked for": self.asked},
            "error against ours": error,
            "rows of an expert": _rows(mixture, x_TD),
        }
        passes = {self.name: block, DENSE: floor}
        for way, work, times in (("forward", _forward, 1), ("forward and back", _both, 3)):
            calls = {name: work(block, x_TD) for name, block in passes.items()}
            found[way] = self._timed(calls | {PRODUCT: lambda: square[0] @ square[1]}, times)
        if self.device.type == "cuda":
            found["memory"] = {name: held(block, x_TD) for name, block in passes.items()}
        return found

    @property
    def _square(self) -> int:
        return SQUARE if self.device.type == "cuda" else 64

    def _timed(self, calls: Mapping[str, Callable[[], object]], times: int) -> dict[str, Any]:
        """Return seconds, FLOP/s and ratios of a pass with `times` the forward FLOPs."""
        on_card = self.device.type == "cuda"
        repeats = {name: _repeats(call) if on_card else 1 for name, call in calls.items()}
        blocks = {name: _repeated(call, repeats[name]) for name, call in calls.items()}
        seconds = in_turn(blocks, ROUNDS if on_card else 2)
        each = {n: [s / repeats[n] for s in many] for n, many in seconds.items()}
        flops = dict.fromkeys(calls, times * self.shape.flops) | {PRODUCT: 2 * self._square**3}
        return {
            "seconds": {name: median(values) for name, values in each.items()},
            "flops per second": {name: flops[name] / median(v) for name, v in each.items()},
            "time over dense": ratios(each, DENSE)[self.name],
        }


def _forward(block: nn.Module, x_TD: Tensor) -> Callable[[], object]:
    """Return the forward half of a training pass."""
    return lambda: block(x_TD)


def _both(block: nn.Module, x_TD: Tensor) -> Callable[[], object]:
    """Return a training pass with newly allocated gradients."""
    work = step(block, x_TD, torch.randn_like(x_TD))

    def call() -> None:
        x_TD.grad = None
        work()

    return call


def _error(block: nn.Module, mixture: Mixture, x_TD: Tensor) -> float:
    """Return the relative error of a block's outputs compared with ours.

    Raises:
        ValueError: if they are different outputs.
    """
    with torch.no_grad():
        theirs, wanted = (answer_of(b, x_TD).float() for b in (block, ours(mixture)))
    error = float((theirs - wanted).norm() / wanted.norm())
    if not error < WRONG:
        raise ValueError(f"its outputs differ from ours: relative error {error:.2g}")
    return error


def _rows(mixture: Mixture, x_TD: Tensor) -> dict[str, int]:
    """Return the number of rows of the least and the most loaded expert."""
    with torch.no_grad():
        count_E = mixture.router(x_TD).expert_A.bincount(minlength=mixture.shape.experts)
    return {"fewest": int(count_E.min()), "most": int(count_E.max())}


def _repeats(call: Callable[[], object]) -> int:
    """Return how many calls fill a block's time; the first ones are not counted."""
    call()
    [[seconds]] = in_turn({"": call}, 1).values()
    return max(1, round(BLOCK / seconds))


def _repeated(call: Callable[[], object], times: int) -> Callable[[], None]:
    """Return many calls in a row."""

    def block() -> None:
        for _ in range(times):
            call()

    return block
