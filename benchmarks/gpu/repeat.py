"""Two properties of a computation on the GPU: reproducible bits, and no synchronisation."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.items import told

NEVER, ON_CPU = "no", "not applicable: no card"


def repeatable(outcome: Callable[[], Sequence[Tensor]]) -> dict[str, Any]:
    """Say whether a computation gives the same bits twice, by default and as in runs.

    Runs use torch's deterministic algorithms; without them a GPU may add up many rows in any order.
    """
    found: dict[str, Any] = {"by default": _twice(outcome)}
    with deterministic():
        try:
            found["deterministic"] = _twice(outcome)
        except RuntimeError as error:  # some operation has no deterministic algorithm
            found["deterministic"] = told(error)
    return found


@contextmanager
def deterministic() -> Iterator[None]:
    """Make torch use only deterministic algorithms."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _twice(outcome: Callable[[], Sequence[Tensor]]) -> bool:
    """Say whether two outcomes are equal bit for bit."""
    return all(torch.equal(one, two) for one, two in zip(outcome(), outcome(), strict=True))


def unsynchronised(work: Callable[[], object], device: torch.device) -> str:
    """Return "no" if the host never waits for the GPU in this work, otherwise what it waits for.

    torch raises at the first operation that synchronises, such as one whose output size depends on
    the GPU's results.
    """
    if device.type != "cuda":
        return ON_CPU
    work()  # one-off work such as compiling a kernel may synchronise
    torch.cuda.set_sync_debug_mode("error")
    try:
        work()
    except RuntimeError as error:
        return told(error)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return NEVER
