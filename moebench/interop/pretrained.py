"""A decoder from a folder of weights, and back."""

import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from moebench.interop.architectures import ARCHITECTURES, Architecture, mixtures_of
from moebench.interop.checkpoint import Checkpoint, write_checkpoint
from moebench.interop.names import Source, source_of
from moebench.models.mixtral_2024 import CausalDecoder, on_meta

SHARD_BYTES = 5 * 10**9
# What older checkpoints store beside the weights: frequencies, which follow from the configuration.
IGNORED = "rotary_emb.inv_freq"


def from_pretrained(path: Path | str, dtype: torch.dtype | None = None) -> CausalDecoder:
    """Return the decoder of a checkpoint, in evaluation mode.

    Its parameters are made one after the other, each filled from the file: at no time are there
    two copies of the weights.

    Args:
        path: a folder with `config.json` and safetensors files.
        dtype: of the parameters; None: that of the files.

    Raises:
        FileNotFoundError: naming a file or shard that is missing.
        ValueError: for an architecture that is not supported, weights that are missing or not
            known, another shape, or more than memory holds.
    """
    checkpoint = Checkpoint(Path(path))
    kind = checkpoint.config.get("model_type")
    if kind not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ValueError(f"config.model_type={kind}: not supported; one of {known}")
    family = ARCHITECTURES[kind]
    model = on_meta(**family.decoder(checkpoint.config))
    sources = sources_of(model, family)
    check_names(sources, checkpoint, model)
    dtype = dtype or checkpoint.dtype()
    check_memory(model, dtype)
    with torch.no_grad():
        for name, source in sources.items():
            parent, _, last = name.rpartition(".")
            module = model.get_submodule(parent)
            empty = torch.empty(getattr(module, last).shape, dtype=dtype)
            source.fill(empty, checkpoint)
            setattr(module, last, nn.Parameter(empty))
    return model.eval()


def sources_of(model: CausalDecoder, family: Architecture) -> dict[str, Source]:
    """Return where each parameter comes from."""
    experts = max(layer.router.num_experts for layer in mixtures_of(model))
    return {name: source_of(name, family.naming, experts) for name, _ in model.named_parameters()}


def check_names(sources: dict[str, Source], checkpoint: Checkpoint, model: CausalDecoder) -> None:
    """Refuse a checkpoint that lacks weights, or has some that the model has no place for."""
    wanted = {name for source in sources.values() for name in source.names}
    there = {name for name in checkpoint.file_of if not name.endswith(IGNORED)}
    if model.shape.tied:
        there.discard("lm_head.weight")
    for names, what in ((wanted - there, "missing weights"), (there - wanted, "unknown weights")):
        if names:
            first = sorted(names)[:3]
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise ValueError(f"{checkpoint.folder}: {what}: {', '.join(first)}{more}")


def check_memory(model: nn.Module, dtype: torch.dtype) -> None:
    """Refuse a model that memory cannot hold."""
    size = sum(parameter.numel() for parameter in model.parameters()) * dtype.itemsize
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cached = _reclaimable()
    if size > free + cached:
        raise ValueError(
            f"dtype={dtype}: the weights take {size / 2**30:.1f} GiB, memory has "
            f"{(free + cached) / 2**30:.1f} GiB free; a smaller type takes less"
        )


def _reclaimable() -> int:
    """Return the bytes of cached files, which memory gives back when it is asked to."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0  # not Linux
    values = dict(line.split(":") for line in lines)
    return int(values.get("Cached", "0 kB").split()[0]) * 1024


def save_pretrained(
    model: CausalDecoder,
    path: Path | str,
    architecture: str | None = None,
    shard_bytes: int = SHARD_BYTES,
) -> None:
    """Write a decoder so that transformers, and `from_pretrained`, can read it.

    Args:
        model: with at least one mixture.
        path: a folder, made if missing.
        architecture: a `model_type`; None: the first that can express the model.
        shard_bytes: size of the largest file.

    Raises:
        ValueError: if no architecture, or not this one, can express the model; says why.
    """
    names = [architecture] if architecture else list(ARCHITECTURES)
    if unknown := [name for name in names if name not in ARCHITECTURES]:
        known = ", ".join(ARCHITECTURES)
        raise ValueError(f"architecture={unknown[0]}: not supported; one of {known}")
    if not list(mixtures_of(model)):
        raise ValueError("model: has no mixture, and these are architectures of mixtures")
    reasons = {name: why_not(model, ARCHITECTURES[name]) for name in names}
    fitting = [name for name, why in reasons.items() if not why]
    if not fitting:
        told = "; ".join(f"{name}: {why}" for name, why in reasons.items())
        raise ValueError(f"model: no architecture can express it ({told})")
    family = ARCHITECTURES[fitting[0]]
    write_checkpoint(Path(path), family.config(model), _tensors(model, family), shard_bytes)


def why_not(model: CausalDecoder, family: Architecture) -> str:
    """Return what a family cannot express of a model, empty if nothing."""
    try:
        twin = on_meta(**family.decoder(family.config(model)))
    except ValueError as error:
        return str(error)
    for ours, theirs, what in (
        (model.shape, twin.shape, "shape"),
        (model.heads, twin.heads, "heads"),
        (_shapes(model), _shapes(twin), "parameters"),
        (_rules(model), _rules(twin), "routers"),
    ):
        if ours != theirs:
            return f"other {what}"
    return ""


def _shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}


def _rules(model: CausalDecoder) -> list[tuple[type, object, type]]:
    return [
        (type(layer.router), getattr(layer.router, "k", None), type(layer.experts))
        for layer in mixtures_of(model)
    ]


def _tensors(model: CausalDecoder, family: Architecture) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of the checkpoint."""
    sources = sources_of(model, family)
    for name, parameter in model.named_parameters():
        yield from sources[name].split(parameter.detach())
