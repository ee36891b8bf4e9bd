"""What ends a command with status 2 is a ValueError of one line in Python."""

import inspect
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import wraps
from numbers import Integral, Real
from pathlib import Path
from types import UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from moebench.cli.arguments import a_folder, refuse_unwritable
from moebench.cli.guard import line_of

Given = ParamSpec("Given")
Result = TypeVar("Result")
KINDS: Mapping[Any, str] = {
    **{int: "a whole number", float: "a number", str: "text", bool: "True or False"},
    **{Path: "a path", type(None): "None", Mapping: "a dict", Sequence: "a list"},
}


@contextmanager
def one_line() -> Iterator[None]:
    """Turn whatever a command would refuse into a ValueError with the line that it would print.

    That includes a missing file and a server that does not answer; the cause is kept.
    """
    try:
        yield
    except (ValueError, OSError) as error:
        raise ValueError(line_of(error)) from error


def checking(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Refuse arguments of another kind than a function declares, before it does anything."""
    signature, kinds = inspect.signature(function), get_type_hints(function)

    @wraps(function)
    def checked(*args: Given.args, **given: Given.kwargs) -> Result:
        for name, value in signature.bind(*args, **given).arguments.items():
            options = _options(kinds[name])
            if not any(_is_of(value, kind) for kind in options):
                allowed = " or ".join(dict.fromkeys(KINDS[_bare(kind)] for kind in options))
                raise ValueError(f"{name}={value!r}: must be {allowed}")
        return function(*args, **given)

    return checked


def root_of(folder: str | Path, writing: bool = False) -> Path:
    """Return the folder of all runs.

    Args:
        folder: its path.
        writing: whether anything is going to be written there.

    Raises:
        ValueError: for a path that is no folder, or that cannot be written to.
    """
    try:
        found = a_folder(str(folder))
    except ArgumentTypeError as error:
        raise ValueError(f"root: {error}") from error
    if writing:
        refuse_unwritable(found)
    return found


def _options(kind: Any) -> tuple[Any, ...]:
    """Return the kinds of a union, or the only one."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _bare(kind: Any) -> Any:
    return get_origin(kind) or kind


def _is_of(value: object, kind: Any) -> bool:
    """Say whether a value is of a kind; a bool is no number, text no list, an int a float."""
    bare = _bare(kind)
    if isinstance(value, bool):
        return bare is bool
    if bare is Sequence and isinstance(value, str):
        return False
    return isinstance(value, {int: Integral, float: Real}.get(bare, bare))  # NumPy's as well
