"""What is done before the first stage: the device, what earlier calls left, the text."""

from pathlib import Path

import torch

from benchmarks.gpu import evidence, text
from benchmarks.gpu.folder import Folder
from benchmarks.gpu.machine import described


def device_of(name: str) -> torch.device:
    """Return the device to measure on.

    Raises:
        ValueError: if it is a card and torch sees none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("torch sees no GPU; --device cpu runs a small form that measures nothing")
    return torch.device(name)


def begin(out: Path, earlier: Path | None, packed: Path | None, device: torch.device) -> Folder:
    """Return the folder of this call, with all that an earlier one left.

    Args:
        out: the folder.
        earlier: of a call to go on from.
        packed: token files; None: those that were carried along, if any were.
        device: that is measured on.

    Raises:
        ValueError: if what there is cannot be gone on from.
        FileNotFoundError: if something that is named is not there.
    """
    for option, path in (("--from", earlier), ("--text", packed)):
        if path is not None and not path.exists():
            raise FileNotFoundError(f"{option} {path}: there is nothing")
    folder = Folder(out, described(device))
    if earlier is not None:
        folder.take(earlier)
        evidence.take(out, earlier, device.type == "cpu")
    if packed is not None or text.FILE.exists():
        text.unpacked(packed or text.FILE)
    return folder
