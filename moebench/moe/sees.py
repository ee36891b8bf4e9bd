"""Which other tokens the routing decision for a token depends on.

Routers and overflow rules declare it as `sees`: a constant, or a method
`(length, training) -> Sees | None` where it depends on more. A wrapper sees what its parts see.
`moebench.testing.sight` checks the declaration by changing other tokens.
"""

from enum import Flag
from typing import Any

from torch import nn


class Sees(Flag):
    """Which other tokens may change the experts of a token, their weights, or whether it is kept.

    Flags combine: `Sees.CAUSAL | Sees.OTHERS` is what a queue in the order of the batch sees.

    Example:
        class Mine(torch.nn.Module):
            sees = Sees.TOKEN  # no other token changes what it decides
    """

    TOKEN = 0  # none: the token alone decides
    CAUSAL = 1  # earlier tokens of its sequence
    LATER = 2  # later tokens of its sequence
    OTHERS = 4  # tokens of other sequences
    SEQUENCE = CAUSAL | LATER
    BATCH = SEQUENCE | OTHERS


def sees(part: nn.Module, length: int | None, training: bool) -> Sees | None:
    """Return what a part declares that it sees; None if it, or a part of it, declares nothing.

    Args:
        part: a router or an overflow rule.
        length: length L of the sequences, which arrive end to end; None if the tokens are not
            whole sequences.
        training: the mode to ask about, whatever mode the part is in.
    """
    if not _declares(part):
        return None
    declared: Any = part.sees
    found: Sees | None = declared(length, training) if callable(declared) else declared
    return found


def _declares(part: nn.Module) -> bool:
    """Return whether a part declares what its `forward` sees; overriding it drops the parent's."""
    for kind in type(part).__mro__:
        if "sees" in vars(kind):
            return True
        if "forward" in vars(kind):
            return False
    return False


def all_seen(*found: Sees | None) -> Sees | None:
    """Return what several parts see together; None if one of them is unknown."""
    together = Sees.TOKEN
    for one in found:
        if one is None:
            return None
        together |= one
    return together
