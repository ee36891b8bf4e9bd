"""What this machine has, what is missing, and what that costs."""

import importlib.metadata
import importlib.util
import os
import shutil
from pathlib import Path

import torch
from torch.nn import functional

from moebench.experiment.precision import TOO_SLOW, bfloat16_ratio

NEEDED = ("torch", "pytorch-lightning", "jsonargparse", "scipy", "tokenizers", "jinja2")
OPTIONAL = {
    "mlflow": "runs are recorded but not tracked",
    "optuna": "no sweeps",
    "transformers": "no parity tests against Hugging Face",
    "datasets": "no `huggingface` text source",
}


def examine(root: Path) -> int:
    """Print one line per finding; return 1 where something needed is missing, else 0."""
    missing = [name for name in NEEDED if _version(name) is None]
    for name in NEEDED:
        print(f"{'missing' if name in missing else 'ok':8} {name} {_version(name) or ''}")
    for name, loss in OPTIONAL.items():
        version = _version(name)
        print(f"{'ok':8} {name} {version}" if version else f"{'absent':8} {name}: {loss}")
    print(f"{'ok':8} {len(os.sched_getaffinity(0))} cores, {torch.get_num_threads()} torch threads")
    has_kernel = hasattr(functional, "grouped_mm")
    print(f"{'ok' if has_kernel else 'slow':8} grouped matrix product in torch: {has_kernel}")
    ratio = bfloat16_ratio()
    state = "ok" if ratio <= TOO_SLOW else "slow"
    print(f"{state:8} bfloat16 matrix product takes {ratio:.2f} of the time of float32 here")
    for index in range(torch.cuda.device_count()):
        print(f"{'ok':8} accelerator {torch.cuda.get_device_name(index)}")
    free = shutil.disk_usage(root if root.exists() else Path.cwd()).free / 2**30
    print(f"{'ok' if free > 2 else 'low':8} {free:.0f} GiB free for runs")
    return 1 if missing else 0


def _version(name: str) -> str | None:
    """Return the installed version of a distribution, None where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
