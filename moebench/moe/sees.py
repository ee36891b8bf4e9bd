"""What a routing decision depends on besides the token that it is made for.

Routers and overflow rules say it in an attribute `sees`: a constant, or where it depends on more a
method `(length, training) -> Sees | None`. A wrapper sees what its parts see. What is said is held
to what happens: `moebench.testing.sight` changes other tokens and looks.
"""

from enum import Flag
from typing import Any

from torch import nn


class Sees(Flag):
    """Which other tokens may change the experts of a token, their weights, or whether it is kept.

    Members are sets: `Sees.CAUSAL | Sees.OTHERS` is what a queue in the order of the batch sees.
    """

    TOKEN = 0  # none: the token decides alone
    CAUSAL = 1  # earlier tokens of its sequence
    LATER = 2  # later tokens of its sequence
    OTHERS = 4  # tokens of other sequences
    SEQUENCE = CAUSAL | LATER
    BATCH = SEQUENCE | OTHERS


def sees(part: nn.Module, length: int | None, training: bool) -> Sees | None:
    """Return what a part says that it sees; None where it, or a part of it, says nothing.

    Args:
        part: a router.
        length: tokens L of a sequence, of which several arrive end to end; None: they are no
            sequences that follow one another whole.
        training: which of its two modes is meant, whatever mode it is in.
    """
    if not _said_of_its_forward(part):
        return None
    said: Any = part.sees
    found: Sees | None = said(length, training) if callable(said) else said
    return found


def _said_of_its_forward(part: nn.Module) -> bool:
    """Tell whether a part says what it sees; a class that decides anew inherits no answer."""
    for kind in type(part).__mro__:
        if "sees" in vars(kind):
            return True
        if "forward" in vars(kind):
            return False
    return False


def all_seen(*found: Sees | None) -> Sees | None:
    """Return what parts see together; None where one of them is not known."""
    together = Sees.TOKEN
    for one in found:
        if one is None:
            return None
        together |= one
    return together
