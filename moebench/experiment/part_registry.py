"""All parts with short names, by the configuration key where they may be used.

A short name works once the part's module has been imported, which this module does.
"""

from collections.abc import Mapping

from moebench.data.modules import DATA_MODULES
from moebench.data.objectives import OBJECTIVES
from moebench.data.sources import SOURCES
from moebench.data.synthetic import WORLDS
from moebench.models import MODELS
from moebench.moe.capacity.overflow import OVERFLOW
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import EXPERTS
from moebench.moe.losses import LOSSES
from moebench.moe.routers import ROUTERS, WRAPPERS

FAMILIES: Mapping[str, Mapping[str, type]] = {
    "router": {**ROUTERS, **WRAPPERS},
    "experts": EXPERTS,
    "dispatcher": DISPATCHERS,
    "overflow": OVERFLOW,
    "losses": LOSSES,
    "network": MODELS,
    "data": DATA_MODULES,
    "source": SOURCES,
    "objective": OBJECTIVES,
    "world": WORLDS,
}


def family_at(key: str) -> str:
    """Return the family whose parts may be used at a configuration key; "" if there is none."""
    words = [word for word in key.split(".") if not word.isdigit()]
    place = {"loss": "losses"}.get(words[-1], words[-1]) if words else ""
    return place if place in FAMILIES else ""


def why_misplaced(key: str, part: type | None) -> str:
    """Say which family a part belongs to if its key needs another; empty if it is fine.

    Args:
        key: the part's key in a configuration.
        part: its class.
    """
    place = family_at(key)
    homes = [name for name, family in FAMILIES.items() if part in family.values()]
    return f"is one of {homes[0]}" if place and homes and place not in homes else ""
