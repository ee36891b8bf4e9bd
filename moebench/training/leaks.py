"""What the routers of a causal model see in training that is missing when it generates text.

In a model that predicts the next token, later tokens must not affect earlier ones: its loss could
fall below what any model achieves in generation. Other sequences do not reveal the future, but they
make a token's output depend on the rest of the batch. Neither is wrong in an encoder.

A model declares itself causal by an attribute `causal`, on itself or on the part that holds the
mixtures; the innermost one counts.
"""

import logging
from collections.abc import Iterable
from typing import Any

from torch import nn

from moebench.moe.capacity.limit import Limited
from moebench.moe.contract import CONTRACT
from moebench.moe.sees import Sees, all_seen, sees
from moebench.training.gradient_check import numbered, routers

log = logging.getLogger(__name__)

WORDS = {Sees.LATER: "later tokens", Sees.OTHERS: "other sequences"}


def leaks(network: nn.Module, batch: Any) -> dict[int, Sees | None]:
    """Return layer -> what its router leaks, in either mode; None if it does not declare it.

    Layers without a leak are left out, and so are those outside a causal model.

    Args:
        network: the model.
        batch: a batch; without sequences input_BL there are no leaks.
    """
    shape: tuple[int, ...] = getattr(getattr(batch, "input_BL", None), "shape", ())
    if len(shape) != 2:
        return {}
    count, length = shape[0], whole_length(batch)
    found = {}
    for layer, (name, router) in enumerate(routers(network).items()):
        seen = all_seen(*(sees(router, length, training) for training in (True, False)))
        wrong = Sees.LATER | (Sees.OTHERS if count > 1 else Sees.TOKEN)
        if is_causal(network, name) and (seen is None or seen & wrong):
            found[layer] = None if seen is None else seen & wrong
    return found


def whole_length(batch: Any) -> int | None:
    """Return the length of a batch's sequences; None with padding, which is not routed."""
    padded = getattr(batch, "mask_BL", None) is not None
    return None if padded else int(batch.input_BL.shape[1])


def is_causal(network: nn.Module, name: str) -> bool:
    """Return whether a submodule is part of a causal model; the innermost declaration counts.

    Args:
        network: the model.
        name: name of the submodule.
    """
    module, causal = network, bool(getattr(network, "causal", False))
    for part in name.split("."):
        module = module.get_submodule(part)
        causal = bool(getattr(module, "causal", causal))
    return causal


def in_words(found: Iterable[Sees | None]) -> str:
    """Return what leaks, such as "later tokens, other sequences"; empty if nothing does."""
    listed = list(found)
    words = [word for kind, word in WORDS.items() if any(one and kind in one for one in listed)]
    return ", ".join([*words, *(["unknown"] if None in listed else [])])


def report_leaks(network: nn.Module, batch: Any) -> None:
    """Warn in one line of all leaks, and say how to stop them."""
    found, every = leaks(network, batch), list(routers(network).values())
    known = {layer: leak for layer, leak in found.items() if leak is not None}
    parts = []
    if known:
        words = in_words(known.values()).replace(", ", " and ")
        parts.append(
            f"routing in {numbered(known)} depends on {words}, which a causal model does not have "
            "when it generates text"
        )
        if any(isinstance(part, Limited) for layer in known for part in every[layer].modules()):
            parts += _remedies(known.values(), whole_length(batch))
    if undeclared := [layer for layer in found if layer not in known]:
        names = ", ".join(dict.fromkeys(type(every[layer]).__name__ for layer in undeclared))
        leak = "leak" if len(undeclared) > 1 else "leaks"
        parts.append(
            f"unknown whether {numbered(undeclared)} {leak}: {names} has no attribute `sees`, see "
            f"{CONTRACT}"
        )
    if parts:
        log.warning("%s", "; ".join(parts))


def _remedies(found: Iterable[Sees], length: int | None) -> list[str]:
    """Return the settings that stop a capacity's leaks; groups need sequences of one length."""
    together = all_seen(*found) or Sees.TOKEN
    remedies = {
        Sees.OTHERS: f"set capacity.group={length} to keep sequences apart",
        Sees.LATER: "use capacity.priority=position and overflow=Drop to leave later tokens out",
    }
    if length is None:
        del remedies[Sees.OTHERS]
    return [remedy for kind, remedy in remedies.items() if kind in together]
