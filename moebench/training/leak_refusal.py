"""Refuses causal models whose routers choose by later tokens, unless that is asked for."""

from torch import nn

from moebench.moe.capacity.limit import Limited
from moebench.moe.sees import Sees, sees
from moebench.training.gradient_check import routers
from moebench.training.leaks import is_causal


def refuse_leaks(network: nn.Module) -> None:
    """Refuse a causal model whose experts are chosen by later tokens outside training, too.

    Its loss in validation is then none of predicting. Where that is asked for, the router has
    `allow_leaks`. Queues of a capacity are not refused: some setting stops their leaks, and
    `report_leaks` names it.

    Raises:
        ValueError: naming the router, the key to set, and what it does.
    """
    for name, router in routers(network).items():
        for part in _looking_ahead(router) if is_causal(network, name) else ():
            if getattr(part, "allow_leaks", False):
                continue
            raise ValueError(
                f"router={type(part).__name__}: chooses by later tokens, in validation too, so the "
                f"losses of a causal model leak; to train it nonetheless {_consent(part)}"
            )


def _consent(part: nn.Module) -> str:
    """Say how a person lets a router leak."""
    if not hasattr(part, "allow_leaks"):  # one of their own
        return "give it an attribute allow_leaks that is true"
    apart = ", and group to data.length to keep sequences apart" if hasattr(part, "group") else ""
    return f"set allow_leaks=true{apart}"


def _looking_ahead(router: nn.Module) -> list[nn.Module]:
    """Return the innermost parts that see later tokens outside training, queues left out."""
    found = [
        part
        for part in router.modules()
        if hasattr(part, "num_experts")
        and Sees.LATER in (sees(part, None, training=False) or Sees.TOKEN)
    ]
    return [
        one
        for one in found
        if not isinstance(one, Limited) and not any(part in found for part in [*one.modules()][1:])
    ]
