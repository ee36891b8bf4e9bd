"""What a record says about the machine and the code that it was made with."""

import functools
import importlib.metadata
import os
import platform
import resource
import subprocess
import sys
from pathlib import Path

import pytorch_lightning as pl
import torch

from moebench import __version__

PACKAGES = ("torch", "pytorch-lightning", "numpy")
CHECKOUT = Path(__file__).parents[2]
DECISIVE = ("moebench", "configs", "reproductions", ":!*.jsonl", ":!*.md", ":!*.svg")
# Of /proc/cpuinfo: x86, then ARM.
MODEL = ("cpu family", "model", "stepping", "CPU implementer", "CPU part", "CPU revision")


def default_workers() -> int:
    """Return one worker per accelerator, or per core where there is none."""
    return torch.cuda.device_count() or len(os.sched_getaffinity(0))


def versions() -> dict[str, str]:
    """Return the versions of all that affects a number."""
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **found, "moebench": __version__}


@functools.cache
def commit() -> str:
    """Return the commit of the checkout; empty if moebench does not run from its own.

    A `+` marks uncommitted changes to moebench, the papers or their configurations. Changes to
    records, prose and figures do not count, as they affect no number.
    """
    try:
        prefix, head = _git("rev-parse", "--show-prefix", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=all", "--", *DECISIVE)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return ""
    return "" if prefix else head + ("+" if changed != [""] else "")


def _git(*arguments: str) -> list[str]:
    """Return the lines that git prints about the checkout."""
    done = subprocess.run(
        ["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return done.stdout.removesuffix("\n").split("\n")


@functools.cache
def hardware() -> dict[str, str | int]:
    """Return processor, instruction set, cores, threads and any accelerator."""
    found: dict[str, str | int] = {
        "processor": _processor(),
        **_model(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count() or 0,
        "threads": torch.get_num_threads(),
    }
    if torch.cuda.is_available():
        found["accelerator"] = torch.cuda.get_device_name()
    return found


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    return _cpuinfo().get("model name") or platform.processor() or platform.machine()


def _model() -> dict[str, str]:
    """Return the model numbers of the processor, where the system gives them."""
    known = _cpuinfo()
    told = [f"{name} {known[name]}" for name in MODEL if name in known]
    return {"model": ", ".join(told)} if told else {}


def _cpuinfo() -> dict[str, str]:
    """Return what Linux says about the first processor; nothing on other systems."""
    info = Path("/proc/cpuinfo")
    first = info.read_text().partition("\n\n")[0] if info.exists() else ""
    pairs = (line.partition(":")[::2] for line in first.splitlines())
    return {name.strip(): value.strip() for name, value in pairs}


def precision(trainer: pl.Trainer, model: pl.LightningModule) -> str:
    """Return the precision that a model was actually trained in.

    A module that chooses it regardless of the trainer has it as its attribute `precision`.
    """
    said = str(getattr(model, "precision", trainer.precision))
    products = torch.get_float32_matmul_precision()
    return said if products == "highest" else f"{said}, products in {products} precision"


def device_of(name: str | None) -> str:
    """Return the device of a name, and without one a GPU where there is one.

    Raises:
        ValueError: for a GPU where torch sees none.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("device=cuda: torch sees no GPU here; --device cpu does without")
    return name or ("cuda" if torch.cuda.is_available() else "cpu")


def peak_memory_bytes() -> int:
    """Return the most memory held so far: on the accelerator in use, else by this process."""
    if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kilobytes on Linux
