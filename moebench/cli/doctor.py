"""What this machine has, what is missing, and what that costs."""

import importlib.metadata
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn import functional

from moebench.experiment.precision import TOO_SLOW, bfloat16_ratio
from moebench.report.tables import table

NEEDED = ("torch", "pytorch-lightning", "jsonargparse", "scipy", "tokenizers", "jinja2")
OPTIONAL = {
    "mlflow": "runs are recorded but not tracked",
    "optuna": "no sweeps",
    "transformers": "no parity tests against Hugging Face",
    "datasets": "no `huggingface` text source",
}
MISSING = "missing"
Finding = tuple[str, str]  # a state in one word, and what is in that state


def examine(root: Path) -> int:
    """Print one line per finding; return 1 where something needed is missing, else 0."""
    found = [*_packages(), *_machine(root)]
    print("\n".join(table((), found)))
    return int(MISSING in dict(found))


def _packages() -> Iterator[Finding]:
    """Yield the version of each package, or what is lost without it."""
    for name in NEEDED:
        version = _version(name)
        yield ("ok" if version else MISSING), f"{name} {version or ''}"
    for name, loss in OPTIONAL.items():
        version = _version(name)
        yield ("ok", f"{name} {version}") if version else ("absent", f"{name}: {loss}")


def _machine(root: Path) -> Iterator[Finding]:
    """Yield the cores, the speed of arithmetic, the accelerators and the free disk space."""
    yield "ok", f"{len(os.sched_getaffinity(0))} cores, {torch.get_num_threads()} torch threads"
    has_kernel = hasattr(functional, "grouped_mm")
    yield ("ok" if has_kernel else "slow"), f"grouped matrix product in torch: {has_kernel}"
    ratio = bfloat16_ratio()
    state = "ok" if ratio <= TOO_SLOW else "slow"
    yield state, f"a matrix product takes {ratio:.2g} times as long in bfloat16 as in float32"
    for index in range(torch.cuda.device_count()):
        yield "ok", f"accelerator {torch.cuda.get_device_name(index)}"
    free = shutil.disk_usage(root if root.exists() else Path.cwd()).free / 2**30
    yield ("ok" if free > 2 else "low"), f"{free:.0f} GiB free for runs"


def _version(name: str) -> str | None:
    """Return the installed version of a distribution, None where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
