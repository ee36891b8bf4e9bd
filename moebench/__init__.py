"""Mixture-of-experts papers as experiments: every claim executable, every verdict computed.

docs/python.md shows what there is to call. Each name is imported when it is first asked for, so
that `import moebench` is instant.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from moebench.api.comparing import compare as compare
    from moebench.api.fitting import fit as fit
    from moebench.api.opening import open_model as open_model
    from moebench.api.recorded import records as records
    from moebench.api.recorded import verdicts as verdicts
    from moebench.api.reproducing import reproduce as reproduce
    from moebench.api.searching import sweep as sweep
    from moebench.moe import Capacity as Capacity
    from moebench.moe import MoELayer as MoELayer
    from moebench.moe import RoutingDecision as RoutingDecision
    from moebench.moe import Sees as Sees
    from moebench.moe import dispatch as _dispatch
    from moebench.moe import experts as experts
    from moebench.moe import losses as losses
    from moebench.moe import routers as routers
    from moebench.moe import tokens_choose as tokens_choose
    from moebench.moe.capacity import overflow as overflow

    dispatchers = _dispatch

# No part that configurations name: they would call it by its name here, and be other experiments.
_OFFERED = {
    "Capacity": "moebench.moe:Capacity",
    "MoELayer": "moebench.moe:MoELayer",
    "RoutingDecision": "moebench.moe:RoutingDecision",
    "Sees": "moebench.moe:Sees",
    "compare": "moebench.api.comparing:compare",
    "dispatchers": "moebench.moe.dispatch",
    "experts": "moebench.moe.experts",
    "fit": "moebench.api.fitting:fit",
    "losses": "moebench.moe.losses",
    "open_model": "moebench.api.opening:open_model",
    "overflow": "moebench.moe.capacity.overflow",
    "records": "moebench.api.recorded:records",
    "reproduce": "moebench.api.reproducing:reproduce",
    "routers": "moebench.moe.routers",
    "sweep": "moebench.api.searching:sweep",
    "tokens_choose": "moebench.moe:tokens_choose",
    "verdicts": "moebench.api.recorded:verdicts",
}
__all__ = sorted(_OFFERED)


def __getattr__(name: str) -> Any:
    """Import what a name stands for."""
    if name not in _OFFERED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pkgutil import resolve_name

    return resolve_name(_OFFERED[name])


def __dir__() -> list[str]:
    """Return what can be asked for, imported or not."""
    return sorted({*globals(), *_OFFERED})
