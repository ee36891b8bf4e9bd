"""Which arguments a constructor takes for what it declares."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from torch import nn

from moebench.moe.argument_kinds import checks_kinds


@checks_kinds
@dataclass(frozen=True)
class Part:
    """One of everything that parts declare."""

    size: int = 1
    rate: float = 0.5
    rows: int | None = None
    make: Callable[[int], nn.Module] = nn.ReLU
    inner: nn.Module = nn.ReLU()  # noqa: RUF009
    sizes: Sequence[int] = ()
    any: Any = None


@pytest.mark.parametrize(
    "given",
    [
        {"size": np.int64(3)},
        {"rate": 1},
        {"rate": np.float32(1)},
        {"rows": None},
        {"make": nn.ReLU},
        {"make": lambda dim: nn.Linear(dim, dim)},
        {"sizes": [1.5]},
        {"any": "thing"},
    ],
)
def test_what_is_taken(given: dict[str, Any]) -> None:
    [(name, value)] = given.items()
    assert getattr(Part(**given), name) is value


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"size": 1.0}, "size=1.0: must be a whole number"),
        ({"size": True}, "size=True: must be a whole number"),
        ({"rate": "0.5"}, "rate='0.5': must be a number"),
        ({"rows": "many"}, "rows='many': must be a whole number or None"),
        ({"make": 3}, "make=3: must be a function that makes it, such as a class or a lambda"),
        ({"make": nn.ReLU()}, "make=ReLU: must be a function that makes it, such as a class or a"),
        (
            {"inner": nn.ReLU},
            "inner=<class 'torch.nn.modules.activation.R...: must be of the class",
        ),
    ],
)
def test_what_is_refused(given: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        Part(**given)
    assert str(refused.value).startswith(line)


def test_by_position_as_by_name() -> None:
    with pytest.raises(ValueError, match=r"^rate='x': must be a number$"):
        Part(1, "x")


def test_what_python_refuses_itself_is_left_to_it() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'sise'"):
        Part(sise=1)
