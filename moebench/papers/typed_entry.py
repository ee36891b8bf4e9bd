"""Reads the content of a YAML file into dataclasses, and refuses in one line what does not fit."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from moebench.papers.nearest import all_known

WORDS = {
    **{int: "a whole number", float: "a number", str: "text", bool: "true or false"},
    NoneType: "null",
}


class Between(NamedTuple):
    """The smallest and the largest value of a number, as in `Annotated[int, Between(1, 9)]`."""

    least: int
    most: int


def read_entry(kind: Any, content: Any, place: str = "") -> Any:
    """Return what a file says as the type that it should have.

    Args:
        kind: a dataclass, whose fields are the keys; a number, text, boolean or None; a Sequence
            or a Mapping; a Literal; a union of these, of which the first that fits is taken.
        content: what was read from the file.
        place: key of the content in the file.

    Raises:
        ValueError: for anything else; names key, value and what is allowed.
    """
    if not _fits(kind, content):
        raise ValueError(f"{place}={content}: expected {_words(kind)}".removeprefix("="))
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return read_entry(next(one for one in inner if _fits(one, content)), content, place)
    if origin is Literal:
        all_known([content], inner, f"{place}=")
    elif origin is Sequence:
        return [read_entry(inner[0], one, place) for one in content]
    elif origin is Mapping:
        return {
            read_entry(inner[0], name, place): read_entry(inner[1], one, f"{place}.{name}")
            for name, one in content.items()
        }
    elif is_dataclass(kind):
        return _read_fields(kind, content, f"{place}.".lstrip("."))
    return content


def _read_fields(kind: Any, content: Mapping[str, Any], prefix: str) -> Any:
    """Return the dataclass of a map."""
    types = get_type_hints(kind, include_extras=True)
    all_known(content, types, prefix)
    for one in fields(kind):
        needed = one.default is MISSING and one.default_factory is MISSING
        if needed and one.name not in content:
            raise ValueError(f"{prefix}{one.name}: missing or empty")
    return kind(**{name: read_entry(types[name], content[name], prefix + name) for name in content})


def _fits(kind: Any, value: object) -> bool:
    """Say whether a value is of a type, whatever there is inside; a whole number is a float too."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return any(_fits(one, value) for one in inner)
    if origin is Annotated:
        return _fits(inner[0], value) and inner[1].least <= value <= inner[1].most
    if kind in (int, float):
        return isinstance(value, int | kind) and not isinstance(value, bool)
    if origin is Sequence:
        return isinstance(value, list)
    if origin is Mapping or is_dataclass(kind):
        return isinstance(value, Mapping)
    return origin is Literal or kind is Any or isinstance(value, kind)


def _words(kind: Any) -> str:
    """Return a type in words."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(_words(one) for one in inner)
    if origin is Annotated:
        return f"{_words(inner[0])} from {inner[1].least} to {inner[1].most}"
    if origin is Literal:
        return ", ".join(map(str, inner))
    if origin is Sequence:
        return f"a list of {_words(inner[0])}"
    if is_dataclass(kind):
        return f"{{{', '.join(one.name for one in fields(kind))}}}"
    return WORDS.get(kind, "a map of keys and values" if origin is Mapping else "anything")
