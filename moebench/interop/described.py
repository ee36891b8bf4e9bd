"""Whether a config.json describes a model completely: the model it describes is the same.

The model is compared with the one that a reader would build from the configuration, part by part:
exact types, every attribute, the shapes of all weights. What the format cannot express thus shows
as a difference, and so does whatever is not known to be comparable.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from numbers import Real
from typing import Any

import torch
from torch import nn

from moebench.interop.architecture import Architecture
from moebench.interop.config import Config
from moebench.models.decoder import DecoderShape, RotaryDecoder
from moebench.moe.dispatch import DISPATCHERS

MODULE = set(vars(nn.Module()))  # attributes of every module, hooks included
HOOKS = ("_forward_hooks", "_forward_pre_hooks")
SAME = set(DISPATCHERS.values())  # all compute the same sums
PLAIN = (str, bool, int, float, tuple, type(None))
CLOSE = 1e-9  # relative tolerance for a number that was written and read


def check_described(
    model: RotaryDecoder, architecture: Architecture, settings: Mapping[str, Any]
) -> None:
    """Raise ValueError, naming the first difference, unless settings describe a model in full."""
    with torch.device("meta"):
        described = architecture.build(Config(settings, architecture.defaults))
    theirs = dict(described.named_modules())
    for path, module in model.named_modules():
        if type(module) in SAME and type(theirs.get(path)) in SAME:
            continue
        for name, ours, other in differences(module, theirs.get(path)):
            where = ".".join(filter(None, (type(model).__name__, path, name)))
            raise ValueError(
                f"{where}={ours}: a checkpoint of {architecture.model_type} can only have {other}"
            )
    if absent := sorted(theirs.keys() - dict(model.named_modules()).keys()):
        raise ValueError(f"RotaryDecoder: has no {absent[0]}, as {architecture.model_type} does")


def differences(module: nn.Module, other: nn.Module | None) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, value and other value of every attribute in which two modules differ."""
    if type(module) is not type(other):
        yield "", type(module).__name__, type(other).__name__ if other else "nothing"
        return
    mine, theirs = attributes(module), attributes(other)
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in mine or name not in theirs or not same(mine[name], theirs[name]):
            yield name, mine.get(name, "nothing"), theirs.get(name, "nothing")


def attributes(module: nn.Module) -> dict[str, Any]:
    """Return all that decides what a module computes, except submodules and weights."""
    found = {name: value for name, value in vars(module).items() if name not in MODULE}
    for hooks in HOOKS:
        found[hooks] = len(getattr(module, hooks))
    for name, tensor in (*module._parameters.items(), *module._buffers.items()):
        found[name] = None if tensor is None else tuple(tensor.shape)
    if isinstance(module, RotaryDecoder):
        # Its source does not affect what it computes; the blocks themselves show which are dense.
        del found["source"]
        found["shape"] = _not_shown_by_blocks(module.shape)
    return found


def _not_shown_by_blocks(shape: DecoderShape) -> DecoderShape:
    return replace(shape, hidden=1, dense_layers=0)


def same(ours: Any, theirs: Any) -> bool:
    """Return whether two values are plain and equal, numbers up to rounding."""
    if is_dataclass(ours) and type(ours) is type(theirs):
        names = [field.name for field in fields(ours)]
        return all(same(getattr(ours, name), getattr(theirs, name)) for name in names)
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(ours, Real) and isinstance(theirs, Real):
        return math.isclose(ours, theirs, rel_tol=CLOSE)
    return isinstance(ours, PLAIN) and type(ours) is type(theirs) and ours == theirs
