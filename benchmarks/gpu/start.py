"""What happens before the first stage: device, results of earlier calls, text."""

from pathlib import Path

import torch

from benchmarks.gpu import evidence, text
from benchmarks.gpu.folder import Folder
from benchmarks.gpu.machine import described


def device_of(name: str) -> torch.device:
    """Return the device to measure on.

    Raises:
        ValueError: if it is a GPU and torch sees none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("torch sees no GPU; --device cpu runs a small test that measures nothing")
    return torch.device(name)


def begin(out: Path, earlier: Path | None, packed: Path | None, device: torch.device) -> Folder:
    """Return the folder of this call, with everything that an earlier one left.

    Args:
        out: the folder.
        earlier: folder of an earlier call to continue.
        packed: token files; None: those in carried/, if any.
        device: the device to measure on.

    Raises:
        ValueError: if the earlier results cannot be continued.
    """
    folder = Folder(out, described(device))
    if earlier is not None:
        folder.take(earlier)
        evidence.take(out, earlier, device.type == "cpu")
    if packed is not None or text.FILE.exists():
        text.unpacked(packed or text.FILE)
    return folder
