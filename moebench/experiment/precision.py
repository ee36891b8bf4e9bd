"""The precision a machine is fast at, for which `trainer.precision: faster` in settings stands."""

import functools
import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import pytorch_lightning as pl
import torch

from moebench.papers.settings import FASTER, PRECISION

log = logging.getLogger(__name__)

HALF, FULL = "bf16-mixed", "32-true"
# Processors have bfloat16 products, and are faster with them, or compute them bit by bit, many
# times slower. In between a machine must not answer one thing today and another tomorrow.
TOO_SLOW = 2.0


def settled(settings: Mapping[str, object]) -> Mapping[str, object]:
    """Return settings in which the precision, where it is `faster`, is that of this machine."""
    if settings.get(PRECISION) != FASTER:
        return settings
    return {**settings, PRECISION: faster(settings.get("trainer.accelerator") == "cpu")}


@functools.cache
def faster(on_processor: bool = False) -> str:
    """Return mixed bfloat16, or float32 where the accelerator or processor is slow at the former.

    Says so, once, for results in another precision are other results.

    Args:
        on_processor: even where there is an accelerator.
    """
    if torch.cuda.is_available() and not on_processor:
        return HALF if torch.cuda.is_bf16_supported(including_emulation=False) else FULL
    ratio = bfloat16_ratio()
    if ratio <= TOO_SLOW:
        return HALF
    log.warning(
        "bfloat16 takes %.0f times as long as float32 on this processor: runs are in float32", ratio
    )
    return FULL


def where_it_trains(trainer: pl.Trainer) -> AbstractContextManager[object]:
    """Return the precision in which a trainer calls its model on an accelerator; none elsewhere.

    Not every kernel of an accelerator takes float32, in which a model begins. On the processor all
    do, and what is counted there is counted in it.
    """
    if trainer.strategy.root_device.type == "cpu":
        return nullcontext()
    return trainer.precision_plugin.forward_context()


def bfloat16_ratio(size: int = 256, repeats: int = 5) -> float:
    """Measure a square product in both types, in turn, and compare the fastest of each.

    With one thread, as in runs: several wait for one another beside a busy neighbour.
    """
    seconds: dict[torch.dtype, float] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for _ in range(repeats):
        for dtype in (torch.float32, torch.bfloat16):
            matrix = torch.ones(size, size, dtype=dtype)
            started = time.perf_counter()
            matrix @ matrix
            taken = time.perf_counter() - started
            seconds[dtype] = min(taken, seconds.get(dtype, taken))
    torch.set_num_threads(threads)
    return seconds[torch.bfloat16] / seconds[torch.float32]
