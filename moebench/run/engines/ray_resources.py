"""What a run asks of a node of a Ray cluster, what the nodes have, and how many runs fit."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from moebench.run.engines.engine_options import RayOptions

GIB = 2**30
OWN = {"CPU": "num_cpus", "GPU": "num_gpus", "memory": "memory"}  # options of a task by resource


def needs_of(options: RayOptions, devices: int) -> dict[str, float]:
    """Return what a run asks of a node, as Ray names and counts it.

    Args:
        options: of the engine.
        devices: that train the run together; each has as much.
    """
    needs = {"CPU": options.cpus, "GPU": options.gpus, "memory": options.memory_gb * GIB}
    needs |= options.resources
    return {name: number * devices for name, number in needs.items() if number}


def as_options(needs: Mapping[str, float]) -> dict[str, Any]:
    """Return the same as options of a task; Ray would give it a core if it asked for none."""
    more = {name: number for name, number in needs.items() if name not in OWN}
    return {"resources": more, **{option: needs.get(name, 0) for name, option in OWN.items()}}


def times(has: Mapping[str, float], needs: Mapping[str, float]) -> int:
    """Return how many runs fit on a node; a GPU is shared by as many as it has whole shares."""
    return min(
        int(has.get(name, 0)) * math.floor(1 / number)
        if name == "GPU" and number < 1
        else math.floor(has.get(name, 0) / number)
        for name, number in needs.items()
    )


def nodes_in_words(nodes: Iterable[Mapping[str, float]]) -> str:
    """Return what nodes have, equal ones together."""
    kinds = Counter(in_words(has) or "nothing" for has in nodes)
    return "; ".join(f"{count} x ({what})" for what, count in kinds.items()) or "no nodes"


def in_words(resources: Mapping[str, float]) -> str:
    """Return resources as a person may ask for them; Ray adds some for itself."""
    shown = {
        name: number
        for name, number in sorted(resources.items())
        if name != "object_store_memory" and not name.startswith("node:")
    }
    if "memory" in shown:
        shown["GiB of memory"] = round(shown.pop("memory") / GIB, 1)
    return ", ".join(f"{number:g} {name}" for name, number in shown.items())
