"""The share of each device in a batch, where several devices train one run."""

import zlib
from typing import Any

import torch
from lightning_utilities import apply_to_collection
from torch import Tensor

from moebench.data.contract import CONTRACT, TokenBatch
from moebench.moe.devices import same_everywhere


def share(batch: Any, device: int, devices: int) -> Any:
    """Return the rows of a batch that one of several devices gets.

    Every device gets as many, in the order of the batch: the first device the first of them.

    Args:
        batch: a tensor, or a tuple, list, map or dataclass of such; each tensor has a row for every
            sequence.
        device: number of the device, from 0.
        devices: number of devices.

    Raises:
        ValueError: if the rows do not divide, or the tensors differ in their rows.
    """
    sizes: set[int] = set()
    apply_to_collection(batch, Tensor, lambda part: sizes.add(len(part) if part.ndim else 0))
    if len(sizes) != 1 or 0 in sizes:
        found = ", ".join(map(str, sorted(sizes))) or "none"
        raise ValueError(
            f"trainer.devices={devices}: a batch is shared out by its rows, and the parts of this "
            f"one have different numbers of rows ({found}), see {CONTRACT}"
        )
    [rows] = sizes
    if rows % devices:
        raise ValueError(
            f"trainer.devices={devices}: a batch of {rows} sequences does not divide among them; "
            f"choose another data.batch_size, of a multiple of {devices}"
        )
    own = slice(device * rows // devices, (device + 1) * rows // devices)
    return apply_to_collection(batch, Tensor, lambda part: part[own])


def check_same_batch(batch: TokenBatch) -> None:
    """Refuse data that give every device batches of its own, of which it would train on a part.

    Raises:
        ValueError: if devices were given different batches.
    """
    digest = zlib.crc32(batch.input_BL.cpu().numpy().tobytes())
    if not same_everywhere(torch.tensor(digest, dtype=torch.float64)):
        raise ValueError(
            "data: gives devices different batches; let their order depend on the argument seed "
            f"alone, not on torch's generator, see {CONTRACT}"
        )
