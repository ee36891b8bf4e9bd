"""Two properties of a computation on the card: the same bits each time, and no waiting for it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from benchmarks.gpu.items import told

NEVER, ON_CPU = "no", "not applicable: no card"


def repeatable(outcome: Callable[[], Sequence[Tensor]]) -> dict[str, Any]:
    """Say whether a computation gives the same bits twice: as torch is, and as runs set it.

    Runs train with torch's deterministic algorithms; without them sums of many rows may be added
    up in any order on a card.
    """
    found: dict[str, Any] = {"by default": _twice(outcome)}
    with deterministic():
        try:
            found["deterministic"] = _twice(outcome)
        except RuntimeError as error:  # torch has no such algorithm for something in it
            found["deterministic"] = told(error)
    return found


@contextmanager
def deterministic() -> Iterator[None]:
    """Let torch use deterministic algorithms alone."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def _twice(outcome: Callable[[], Sequence[Tensor]]) -> bool:
    """Say whether two outcomes are equal to the bit."""
    return all(torch.equal(one, two) for one, two in zip(outcome(), outcome(), strict=True))


def unsynchronised(work: Callable[[], object], device: torch.device) -> str:
    """Return "no" if the host never waits for the card in this work, else at what it does.

    torch raises at the first operation that waits, such as one whose result has a size that the
    card decides.
    """
    if device.type != "cuda":
        return ON_CPU
    work()  # what is done once, such as to compile a kernel, may wait
    torch.cuda.set_sync_debug_mode("error")
    try:
        work()
    except RuntimeError as error:
        return told(error)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return NEVER
