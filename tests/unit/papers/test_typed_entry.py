"""Types that a YAML file must keep to, and the line that says where it does not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest

from moebench.papers.typed_entry import Between, read_entry


@dataclass(frozen=True)
class Part:
    """A part with arguments."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True)
class File:
    """A file."""

    part: str | Part
    goal: Literal["up", "down"] = "up"
    count: Annotated[int, Between(1, 9)] = 1
    limits: Mapping[str, float] | None = None
    parts: Sequence[Part] = ()
    values: Sequence[bool | float | str | None] = ()
    rest: Any = None


def test_an_entry_becomes_its_type() -> None:
    content = {
        "part": {"name": "a", "weight": 2},
        "goal": "down",
        "limits": {"x/y": 1},
        "parts": [{"name": "b"}],
        "values": [True, 1, 2.5, "c", None],
        "rest": {"anything": [1]},
    }
    found = read_entry(File, content)
    assert found == File(
        Part("a", 2),
        "down",
        limits={"x/y": 1},
        parts=[Part("b")],
        values=[True, 1, 2.5, "c", None],
        rest={"anything": [1]},
    )
    assert read_entry(File, {"part": "a", "limits": None}) == File("a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "part: missing or empty"),
        ({"part": 5}, "part=5: expected text or {name, weight}"),
        ({"part": {"weight": 1}}, "part.name: missing or empty"),
        ({"part": {"nam": 1}}, "part.nam: unknown; the nearest: name"),
        ({"part": {"name": "a", "weight": "b"}}, "part.weight=b: expected a number"),
        ({"part": {"name": "a", "weight": True}}, "part.weight=True: expected a number"),
        ({"part": "a", "goal": "side"}, "goal=side: unknown; one of up, down"),
        ({"part": "a", "goal": ["up"]}, "goal=['up']: unknown; one of up, down"),
        ({"part": "a", "count": 10}, "count=10: expected a whole number from 1 to 9"),
        ({"part": "a", "count": 1.0}, "count=1.0: expected a whole number from 1 to 9"),
        ({"part": "a", "limits": {"x": None}}, "limits.x=None: expected a number"),
        ({"part": "a", "limits": {1: 2}}, "limits=1: expected text"),
        ({"part": "a", "parts": "b"}, "parts=b: expected a list of {name, weight}"),
        ({"part": "a", "parts": ["b"]}, "parts=b: expected {name, weight}"),
        (
            {"part": "a", "values": [[]]},
            "values=[]: expected true or false or a number or text or null",
        ),
        (["part"], "['part']: expected {part, goal, count, limits, parts, values, rest}"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_one_line(content: object, message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - compared whole
        read_entry(File, content)
    assert str(refused.value) == message
