"""Every part, given in Python another kind of argument than it declares, says so in one line."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest

from moebench.experiment.part_registry import FAMILIES
from moebench.models.decoder import DecoderShape
from moebench.models.lstm import LstmShape
from moebench.models.rotary import RotaryEmbedding
from moebench.models.t5_blocks import Shape
from moebench.moe import Capacity, Sparse
from moebench.moe.losses import Weighted

KEYS = [Capacity, Sparse, Weighted, DecoderShape, LstmShape, RotaryEmbedding, Shape]
PARTS = [*(part for family in FAMILIES.values() for part in family.values()), *KEYS]
WRONG = {  # declared -> values of other kinds, and what the line says is allowed
    int: ([1.5, 2.0, "3", True, None], "a whole number"),
    float: (["0.1", True, None], "a number"),
    bool: ([1, "yes", None], "True or False"),
}


def wrong() -> Iterator[Any]:
    """Yield a part, one of its arguments, and a value of another kind."""
    for part in PARTS:
        for name, argument in inspect.signature(part).parameters.items():
            values, allowed = WRONG.get(argument.annotation, ([], ""))
            for value in values:
                yield pytest.param(part, name, value, allowed, id=f"{part.__name__}-{name}={value}")


@pytest.mark.parametrize(("part", "name", "value", "allowed"), wrong())
def test_another_kind_is_refused(part: type, name: str, value: object, allowed: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}=.*: must be {allowed}$"):
        part(**{name: value})
