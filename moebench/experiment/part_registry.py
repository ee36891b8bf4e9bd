"""All parts that have short names, by the key of a configuration at which they may stand.

A part can be called by its short name once its module is imported, which is done here.
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
    """Return the family whose parts may stand at a key of a configuration; empty for any other."""
    words = [word for word in key.split(".") if not word.isdigit()]
    place = {"loss": "losses"}.get(words[-1], words[-1]) if words else ""
    return place if place in FAMILIES else ""


def misplaced(key: str, part: type | None) -> str:
    """Say which family a part is of that stands where one of another belongs; empty if it is fine.

    Args:
        key: of a configuration, at which it stands.
        part: its class.
    """
    place = family_at(key)
    homes = [name for name, family in FAMILIES.items() if part in family.values()]
    return f"is one of {homes[0]}" if place and homes and place not in homes else ""
