"""Reads tensors from safetensors files straight into their parameters, and writes such files.

A file consists of eight bytes with the length of a JSON header, the header, which gives name,
dtype, shape and offsets of each tensor, and the tensors' bytes. A tensor is read directly into the
memory of its parameter or, if its dtype must change, through a small buffer.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from moebench.evidence.record_files import json_of

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}
LARGEST_HEADER = 100_000_000  # bytes
BUFFER = 16_000_000  # bytes


@dataclass(frozen=True)
class Stored:
    """A tensor in a file."""

    file: Path
    dtype: str  # as the file names it
    shape: tuple[int, ...]
    start: int = 0  # bytes from the beginning of the file

    @property
    def type(self) -> torch.dtype:
        """Its dtype; ValueError for one that is not supported, such as 8-bit floats."""
        if self.dtype not in TYPES:
            known = ", ".join(TYPES)
            raise ValueError(f"{self.file}: type {self.dtype} is not supported, only {known}")
        return TYPES[self.dtype]

    def bytes(self, unknown: int) -> int:
        """Return its size in bytes; `unknown` if its dtype is not supported."""
        known = TYPES.get(self.dtype)
        return unknown if known is None else math.prod(self.shape) * known.itemsize


def find(folder: Path) -> dict[str, Stored]:
    """Return every tensor of a checkpoint by name, whether in a single file or in shards.

    If there are both, the single file counts, as in transformers.

    Raises:
        FileNotFoundError: if there are no weights, or a shard that the index names is missing.
        ValueError: if a file is truncated or in another format, or a shard lacks a tensor that the
            index names.
    """
    if (folder / SINGLE).is_file():
        return read_header(folder / SINGLE)
    named = _read_index(folder)
    shards = list(dict.fromkeys(named.values()))
    if absent := [shard for shard in shards if not (folder / shard).is_file()]:
        raise FileNotFoundError(f"{folder}: has no {listed(absent)}, which {INDEX} names")
    stored: dict[str, Stored] = {}
    for shard in shards:
        stored |= read_header(folder / shard)
    if lacking := [name for name in named if name not in stored]:
        raise ValueError(f"{folder}: {INDEX} names weights that no shard has: {listed(lacking)}")
    return stored


def _read_index(folder: Path) -> dict[str, str]:
    """Return the shard of each tensor."""
    path = folder / INDEX
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: has neither {SINGLE} nor {INDEX}")
    index = json_of(path)
    named = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(named, dict) or not all(isinstance(file, str) for file in named.values()):
        raise ValueError(f"{path}: weight_map must name a file for each weight")
    return named


def read_header(path: Path) -> dict[str, Stored]:
    """Return the tensors of one file.

    Raises:
        ValueError: if it is not in the format. Its tensors must follow one another without gap or
            overlap to the end of the file, each as long as its dtype and shape require.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(LARGEST_HEADER, size - 8):
            raise ValueError(f"{path}: not a safetensors file, or truncated")
        try:
            header: dict[str, Any] = json.loads(file.read(length))
            header.pop("__metadata__", None)
            found = {
                name: (*entry["data_offsets"], Stored(path, entry["dtype"], tuple(entry["shape"])))
                for name, entry in header.items()
            }
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
            raise ValueError(f"{path}: not a safetensors file: its header is damaged") from None
    base, place, tensors = 8 + length, 0, {}
    for name, (start, end, tensor) in sorted(found.items(), key=lambda item: item[1][:2]):
        if base + end > size:
            raise ValueError(f"{path}: truncated, {name} ends at byte {base + end} of {size}")
        if start != place or end - start != tensor.bytes(end - start):
            raise ValueError(f"{path}: damaged, offsets of {name} contradict its dtype or shape")
        tensors[name] = replace(tensor, start=base + start)
        place = end
    if base + place != size:
        raise ValueError(f"{path}: damaged, {size - base - place} bytes belong to no tensor")
    return tensors


def read_into(file: BinaryIO, stored: Stored, target: Tensor) -> None:
    """Read a tensor into a contiguous one, with a cast if dtypes differ.

    Raises:
        ValueError: if the file ends too early.
    """
    file.seek(stored.start)
    flat = target.detach().view(-1)
    if stored.type == target.dtype and target.device.type == "cpu":
        _fill(file, flat)
        return
    step = BUFFER // stored.type.itemsize
    buffer = torch.empty(min(step, flat.numel()), dtype=stored.type)
    for start in range(0, flat.numel(), step):
        part = flat[start : start + step]
        _fill(file, buffer[: part.numel()])
        part.copy_(buffer[: part.numel()])


def equal(one: Stored, other: Stored) -> bool:
    """Return whether two tensors have equal shapes and numbers."""
    if one.shape != other.shape:
        return False
    count = math.prod(one.shape)
    with one.file.open("rb", buffering=0) as first, other.file.open("rb", buffering=0) as second:
        for start in range(0, count, BUFFER // 8):
            length = min(BUFFER // 8, count - start)
            if not torch.equal(
                *(
                    _part(file, stored, start, length)
                    for file, stored in ((first, one), (second, other))
                )
            ):
                return False
    return True


def _part(file: BinaryIO, stored: Stored, start: int, length: int) -> Tensor:
    """Return some numbers of a tensor in float64."""
    file.seek(stored.start + start * stored.type.itemsize)
    flat = torch.empty(length, dtype=stored.type)
    _fill(file, flat)
    return flat.double()


def _fill(file: BinaryIO, flat: Tensor) -> None:
    """Fill a flat tensor with bytes from a file."""
    space = flat.view(torch.uint8).numpy().data
    if file.readinto(space) != len(space):  # type: ignore[attr-defined]
        raise ValueError(f"{file.name}: truncated")


def write(path: Path, tensors: Sequence[tuple[str, Tensor]]) -> None:
    """Write tensors to one file; each is made contiguous only while it is written."""
    names = {dtype: name for name, dtype in TYPES.items()}
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in tensors:
        end = offset + tensor.numel() * tensor.element_size()
        entry = {"dtype": names[tensor.dtype], "shape": list(tensor.shape)}
        header[name] = {**entry, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # so that the data start at a multiple of eight
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _, tensor in tensors:
            flat = tensor.detach().contiguous().cpu().view(-1)
            file.write(flat.view(torch.uint8).numpy().data)


def write_shards(folder: Path, tensors: Iterable[tuple[str, Tensor]], most: int) -> None:
    """Write tensors into one file, or into shards of at most so many bytes with an index."""
    shards: list[list[tuple[str, Tensor]]] = [[]]
    sizes: list[int] = [0]
    for name, tensor in tensors:
        size = tensor.numel() * tensor.element_size()
        if shards[-1] and sizes[-1] + size > most:
            shards.append([])
            sizes.append(0)
        shards[-1].append((name, tensor))
        sizes[-1] += size
    if len(shards) == 1:
        write(folder / SINGLE, shards[0])
        return
    count = len(shards)
    files = [f"model-{n:05}-of-{count:05}.safetensors" for n in range(1, count + 1)]
    for file, shard in zip(files, shards, strict=True):
        write(folder / file, shard)
    where = {name: file for file, shard in zip(files, shards, strict=True) for name, _ in shard}
    index = {"metadata": {"total_size": sum(sizes)}, "weight_map": where}
    (folder / INDEX).write_text(json.dumps(index, indent=2), encoding="utf-8")


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return names for a message: the first few and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
