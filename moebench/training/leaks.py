"""What the routers of a causal model see that no text holds while it is written.

A model that predicts the next token must not let later tokens change earlier ones: its loss could
fall below that of any model that writes. Other sequences do not betray the future, but they change
a token's answer with the company it is in. Neither is wrong in an encoder.

A model says that it is causal in an attribute `causal`, of itself or of the part that holds the
mixtures: the nearest counts.
"""

import logging
from collections.abc import Iterable
from typing import Any

from torch import nn

from moebench.moe.capacity.limit import Limited
from moebench.moe.sees import Sees, all_seen, sees
from moebench.training.gradient_check import numbered, routers

log = logging.getLogger(__name__)

WORDS = {Sees.LATER: "later tokens", Sees.OTHERS: "other sequences"}


def leaks(network: nn.Module, batch: Any) -> dict[int, Sees | None]:
    """Return layer -> what its router leaks, in training or after it; None where it does not say.

    Layers without a leak are left out, and so are those that are not part of a causal model.

    Args:
        network: the model.
        batch: with sequences input_BL; what has none cannot leak.
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
    """Return the tokens of every sequence of a batch; None with padding, which is not routed."""
    padded = getattr(batch, "mask_BL", None) is not None
    return None if padded else int(batch.input_BL.shape[1])


def is_causal(network: nn.Module, name: str) -> bool:
    """Tell whether the submodule of that name belongs to a causal model, by the nearest that says.

    Args:
        network: the model.
        name: of a submodule.
    """
    module, causal = network, bool(getattr(network, "causal", False))
    for part in name.split("."):
        module = module.get_submodule(part)
        causal = bool(getattr(module, "causal", causal))
    return causal


def in_words(found: Iterable[Sees | None]) -> str:
    """Return what leaks, such as "later tokens, other sequences"; empty where nothing does."""
    listed = list(found)
    words = [word for kind, word in WORDS.items() if any(one and kind in one for one in listed)]
    return ", ".join([*words, *(["unknown"] if None in listed else [])])


def report_leaks(network: nn.Module, batch: Any) -> None:
    """Warn in one line of all that leaks, and say what would end it."""
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
            parts += _ways_out(known.values(), whole_length(batch))
    if silent := [layer for layer in found if layer not in known]:
        names = ", ".join(dict.fromkeys(type(every[layer]).__name__ for layer in silent))
        parts.append(f"no telling whether {numbered(silent)} leak: {names} has no attribute `sees`")
    if parts:
        log.warning("%s", "; ".join(parts))


def _ways_out(found: Iterable[Sees], length: int | None) -> list[str]:
    """Return what to set so that a capacity leaks no more; groups need sequences of one length."""
    together = all_seen(*found) or Sees.TOKEN
    ways = {
        Sees.OTHERS: f"set capacity.group={length} to keep sequences apart",
        Sees.LATER: "use capacity.priority=position and overflow=Drop to leave later tokens out",
    }
    if length is None:
        del ways[Sees.OTHERS]
    return [way for kind, way in ways.items() if kind in together]
