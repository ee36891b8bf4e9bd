"""The machine behind the figures: GPU, driver, versions; and how busy the GPU is."""

import importlib.metadata
import platform
import shutil
import subprocess
import time
from collections.abc import Mapping
from statistics import fmean

import torch

BETWEEN_LOOKS = 5.0  # seconds; a query takes a fraction of one


def described(device: torch.device) -> dict[str, str]:
    """Return what figures depend on: the GPU with its driver and power limit, and versions."""
    if device.type == "cuda":
        found = {"card": torch.cuda.get_device_name(device), **_of_driver()}
        found["memory"] = f"{torch.cuda.get_device_properties(device).total_memory / 2**30:.0f} GiB"
    else:
        found = {"card": "none"}
    found |= {"python": platform.python_version(), "torch": torch.__version__}
    try:
        found["triton"] = importlib.metadata.version("triton")
    except importlib.metadata.PackageNotFoundError:
        found["triton"] = "none"
    return found


def _of_driver() -> dict[str, str]:
    """Return driver and power limit from `nvidia-smi`; nothing if it is not available."""
    said = _asked("driver_version", "power.limit")
    return dict(zip(("driver", "power"), said, strict=True)) if said else {}


def _asked(*fields: str) -> list[str]:
    """Return fields of the first GPU from `nvidia-smi`; nothing if it cannot be queried."""
    if shutil.which("nvidia-smi") is None:
        return []
    command = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    values = [value.strip() for value in done.stdout.partition("\n")[0].split(",")]
    return values if done.returncode == 0 and len(values) == len(fields) else []


class Usage:
    """How busy the GPU was, according to the driver, at each look."""

    def __init__(self) -> None:
        self._looked = -BETWEEN_LOOKS
        self._seen: dict[str, list[float]] = {"busy %": [], "power W": []}

    def look(self) -> None:
        """Query the driver, unless that was done a moment ago."""
        if time.monotonic() - self._looked < BETWEEN_LOOKS:
            return
        self._looked = time.monotonic()
        said = _asked("utilization.gpu", "power.draw")
        for values, text in zip(self._seen.values(), said, strict=False):
            number = text.split()[0]
            if number.replace(".", "", 1).isdigit():
                values.append(float(number))

    def mean(self) -> Mapping[str, float]:
        """Return the means of what was seen; nothing if the driver could not be queried."""
        return {name: fmean(values) for name, values in self._seen.items() if values}
