"""How much memory is free for a model."""

from pathlib import Path

import torch

_SYSTEM = Path("/proc/meminfo")
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current"))


def free_bytes(device: torch.device) -> int | None:
    """Return the number of free bytes on a device, None if it is unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = []
    if _SYSTEM.exists():
        lines = dict(line.split(":") for line in _SYSTEM.read_text().splitlines())
        found.append(int(lines["MemAvailable"].split()[0]) * 1024)
    if all(path.exists() for path in _LIMITS):
        limit, used = (path.read_text().strip() for path in _LIMITS)
        if limit != "max":
            found.append(int(limit) - int(used))
    return min(found) if found else None


def check_memory(numbers: int, dtype: torch.dtype, device: torch.device) -> None:
    """Raise ValueError if memory cannot hold so many numbers; suggest a dtype that fits."""
    free = free_bytes(device)
    needed = numbers * dtype.itemsize
    if free is None or needed <= free:
        return
    smaller = " or dtype=bfloat16" if dtype.itemsize > 2 and 2 * numbers <= free else ""
    raise ValueError(
        f"dtype={str(dtype).removeprefix('torch.')}: {numbers / 1e9:.3g} billion weights need "
        f"{needed / 1e9:.3g} GB, and {device} has {free / 1e9:.3g} GB free; "
        f"use a machine with more{smaller}"
    )
