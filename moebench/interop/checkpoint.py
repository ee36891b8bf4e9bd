"""The files of a checkpoint: `config.json`, and safetensors in one file or in shards."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

CONFIG, WHOLE, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"


class Checkpoint:
    """A folder to read tensors from, by name.

    Args:
        folder: with `config.json` and `model.safetensors`, or an index and its shards.

    Raises:
        FileNotFoundError: naming the file that is missing.
        ValueError: for a file that cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: dict[str, Any] = _json(folder / CONFIG)
        self.file_of = self._files()

    def _files(self) -> dict[str, Path]:
        """Return name of a tensor -> file, after a look at every file."""
        index = self.folder / INDEX
        if index.exists():
            found = _json(index).get("weight_map", {})
            files = {name: self.folder / file for name, file in found.items()}
            for path in sorted(set(files.values())):
                if not path.exists():
                    held = sum(file == path for file in files.values())
                    raise FileNotFoundError(f"{path}: missing shard, with {held} of the tensors")
            return files
        path = self.folder / WHOLE
        if not path.exists():
            raise FileNotFoundError(f"{path}: missing, and so is {INDEX}")
        return dict.fromkeys(_names(path), path)

    def read(self, name: str) -> Tensor:
        """Return a tensor, of which the file keeps the memory.

        Raises:
            ValueError: if the file does not have it, or is damaged.
        """
        path = self.file_of[name]
        try:
            # Opened for each: what has been read can then be given back to the machine.
            with safe_open(path, "pt") as file:
                tensor: Tensor = file.get_tensor(name)
        except SafetensorError as error:
            raise ValueError(f"{path}: {name} cannot be read ({error})") from error
        return tensor

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor without reading it."""
        with safe_open(self.file_of[name], "pt") as file:
            return tuple(file.get_slice(name).get_shape())

    def dtype(self) -> torch.dtype:
        """Return the type of the first tensor."""
        return self.read(next(iter(self.file_of))).dtype


def _json(path: Path) -> dict[str, Any]:
    """Return the map in a file of JSON."""
    if not path.exists():
        raise FileNotFoundError(f"{path}: missing")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: no JSON ({error})") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path}: expected a map")
    return content


def _names(path: Path) -> list[str]:
    """Return the names of the tensors in a file."""
    try:
        with safe_open(path, "pt") as file:
            return list(file.keys())
    except SafetensorError as error:
        raise ValueError(f"{path}: no safetensors file ({error})") from error


def write_checkpoint(
    folder: Path,
    config: Mapping[str, Any],
    tensors: Iterable[tuple[str, Tensor]],
    shard_bytes: int,
) -> None:
    """Write a folder that `Checkpoint` and transformers read.

    Args:
        folder: made if missing.
        config: of the model.
        tensors: names and values, taken one after the other; a shard is written once it is full.
        shard_bytes: no shard is larger, unless one tensor alone is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shards: list[Path] = []
    weight_map: dict[str, int] = {}
    total, held, size = 0, dict[str, Tensor](), 0

    def flush() -> None:
        path = folder / f"part-{len(shards)}.safetensors"
        save_file(held, path, metadata={"format": "pt"})
        shards.append(path)
        held.clear()

    for name, tensor in tensors:
        if held and size + tensor.nbytes > shard_bytes:
            flush()
            size = 0
        held[name] = tensor.contiguous()
        weight_map[name] = len(shards)
        size, total = size + tensor.nbytes, total + tensor.nbytes
    flush()
    if len(shards) == 1:
        shards[0].replace(folder / WHOLE)
    else:
        count = len(shards)
        files = [f"model-{n:05}-of-{count:05}.safetensors" for n in range(1, count + 1)]
        for path, file in zip(shards, files, strict=True):
            path.replace(folder / file)
        content = {
            "metadata": {"total_size": total},
            "weight_map": {name: files[shard] for name, shard in weight_map.items()},
        }
        (folder / INDEX).write_text(json.dumps(content, indent=1) + "\n")
    (folder / CONFIG).write_text(json.dumps(dict(config), indent=1) + "\n")
