"""Which precision this machine is fast at: the meaning of `trainer.precision: faster`."""

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
# A processor either has bfloat16 instructions and is faster with them, or emulates them and is many
# times slower. A limit in between keeps the answer the same from day to day.
TOO_SLOW = 2.0


def resolve_precision(settings: Mapping[str, object]) -> Mapping[str, object]:
    """Return settings with the precision `faster` replaced by the one that it means here."""
    if settings.get(PRECISION) != FASTER:
        return settings
    return {**settings, PRECISION: faster_precision(settings.get("trainer.accelerator") == "cpu")}


@functools.cache
def faster_precision(on_processor: bool = False) -> str:
    """Return mixed bfloat16, or float32 if the accelerator or processor is slow at bfloat16.

    Warns once if it is, because the results of the two precisions differ.

    Args:
        on_processor: ask about the processor even if there is an accelerator.
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


def training_autocast(trainer: pl.Trainer) -> AbstractContextManager[object]:
    """Return the autocast context in which a trainer calls its model; none on a processor.

    Some accelerator kernels do not take float32, the dtype of a new model. On a processor all do,
    and costs are counted in float32.
    """
    if trainer.strategy.root_device.type == "cpu":
        return nullcontext()
    return trainer.precision_plugin.forward_context()


def bfloat16_ratio(size: int = 256, repeats: int = 5) -> float:
    """Return the time of a matrix product in bfloat16 over that in float32, the best of each.

    Measured with one thread, as in runs: with several, other processes disturb it more.
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
