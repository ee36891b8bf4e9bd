"""Loads a Hugging Face checkpoint as a model, with one copy of its weights in memory."""

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor, nn
from tqdm import tqdm

from moebench.interop.architectures import ARCHITECTURES, REFUSED
from moebench.interop.config import FILE, Config, read_json
from moebench.interop.free_memory import check_memory
from moebench.interop.stacked_experts import match_stored
from moebench.interop.tensors import Stored, find, listed, read_into
from moebench.interop.tied import settle
from moebench.interop.weight_mapping import TensorMapping
from moebench.models.decoder import RotaryDecoder

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
COMPUTED = ".rotary_emb.inv_freq"  # suffix of names in old checkpoints that are not weights
log = logging.getLogger(__name__)


def from_pretrained(
    path: str | Path, dtype: str | torch.dtype | None = None, device: str = "cpu"
) -> RotaryDecoder:
    """Return the model of a checkpoint folder, in evaluation mode.

    The model is built without memory; then each weight is read straight into its place. Weights of
    experts have the memory layout of the file and are transposed views.

    Args:
        path: folder with `config.json` and safetensors, in one file or in shards.
        dtype: dtype of the weights; None: that of most of the checkpoint's numbers. Routers decide
            in float32 anyway, and what the format keeps in float32, such as the bias of a router,
            stays in float32.
        device: where the weights go.

    Raises:
        FileNotFoundError: if the configuration, the weights or a shard is missing.
        ValueError: if the architecture or a setting is not supported, weights are missing, unknown
            or of another shape (all are named), or the dtype does not fit into memory.
    """
    folder = Path(path)
    given = read_json(folder)
    kind = given.get("model_type")
    if not isinstance(kind, str) or kind not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        why = f" ({REFUSED[kind]})" if isinstance(kind, str) and kind in REFUSED else ""
        raise ValueError(
            f"{folder / FILE}: model_type={kind!r} is not supported{why}, only {known}"
        )
    architecture = ARCHITECTURES[kind]
    config, stored = settle(folder, Config(given, architecture.defaults), find(folder))
    try:
        with torch.device("meta"):
            model = architecture.build(config).eval()
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{folder / FILE}: a value is of the wrong type: {error}") from error
    mappings = match_stored(list(architecture.mappings(model)), stored, architecture.in_memory)
    check_names(folder, model, mappings, stored, architecture.spare(config))
    wanted = (
        most_common([stored[mapping.theirs] for mapping in mappings])
        if dtype is None
        else dtype_of(dtype)
    )
    where = torch.device(device)
    check_memory(sum(tensor.numel() for tensor in model.state_dict().values()), wanted, where)
    allocate(model, wanted, where, architecture.exact)
    fill(model, mappings, stored)
    model.source = folder.resolve()
    return model


def dtype_of(dtype: str | torch.dtype) -> torch.dtype:
    """Return a dtype by its name; ValueError lists the known ones."""
    if isinstance(dtype, str) and dtype not in DTYPES:
        raise ValueError(f"dtype={dtype}: unknown; one of {', '.join(DTYPES)}")
    return DTYPES[dtype] if isinstance(dtype, str) else dtype


def most_common(stored: Sequence[Stored]) -> torch.dtype:
    """Return the dtype of most of the numbers in some tensors."""
    numbers: Counter[torch.dtype] = Counter()
    for tensor in stored:
        numbers[tensor.type] += math.prod(tensor.shape)
    return numbers.most_common(1)[0][0]


def check_names(
    folder: Path,
    model: RotaryDecoder,
    mappings: Sequence[TensorMapping],
    stored: Mapping[str, Stored],
    spare: tuple[str, ...] = (),
) -> None:
    """Raise ValueError unless a checkpoint has exactly the weights of a model, in their shapes."""
    names = {mapping.theirs for mapping in mappings}
    if missing := [name for name in names if name not in stored]:
        raise ValueError(f"{folder}: missing weights: {listed(sorted(missing))}")
    rest = [name for name in stored if name not in names and not name.endswith(COMPUTED)]
    left_out = [name for name in rest if spare and name.startswith(spare)]
    if unknown := [name for name in rest if name not in set(left_out)]:
        raise ValueError(f"{folder}: unknown weights: {listed(unknown)}")
    if left_out:
        log.warning("%s: not part of the decoder, left out: %s", folder, listed(left_out))
    state = model.state_dict()
    for mapping in mappings:
        shape = tuple(mapping.view(state).shape)
        if stored[mapping.theirs].shape != shape:
            found = "x".join(map(str, stored[mapping.theirs].shape))
            expected = "x".join(map(str, shape))
            raise ValueError(f"{folder}: {mapping.theirs} is {found}, {FILE} requires {expected}")


def allocate(
    model: nn.Module, dtype: torch.dtype, device: torch.device, exact: tuple[str, ...] = ()
) -> None:
    """Allocate uninitialised memory for the tensors of a model on the meta device.

    Stacked matrices are laid out transposed, so that those of the file are read in one go. Buffers
    keep their dtype, as the bias of a router must be exact. So do parameters whose names end in
    `exact`, unless `dtype` is wider.
    """
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            keep = f"{path}.{name}".endswith(exact)
            wanted = torch.promote_types(dtype, parameter.dtype) if keep else dtype
            setattr(module, name, nn.Parameter(_empty(parameter, wanted, device)))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, torch.empty(buffer.shape, dtype=buffer.dtype, device=device))


def _empty(like: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return an uninitialised tensor; for stacked matrices, a transposed view."""
    if like.dim() < 3:
        return torch.empty(like.shape, dtype=dtype, device=device)
    experts, fan_in, fan_out = like.shape
    return torch.empty((experts, fan_out, fan_in), dtype=dtype, device=device).transpose(1, 2)


def fill(model: nn.Module, mappings: Sequence[TensorMapping], stored: Mapping[str, Stored]) -> None:
    """Read all weights into a model, in the order of the files."""
    state = model.state_dict()
    order = sorted(
        mappings, key=lambda mapping: (stored[mapping.theirs].file, stored[mapping.theirs].start)
    )
    bar = tqdm(order, desc="reading weights", unit="tensor", disable=None, leave=False)
    file: BinaryIO | None = None
    try:
        for mapping in bar:
            place = stored[mapping.theirs]
            if file is None or file.name != str(place.file):
                if file is not None:
                    file.close()
                file = place.file.open("rb", buffering=0)
            read_into(file, place, mapping.view(state))
    finally:
        if file is not None:
            file.close()
