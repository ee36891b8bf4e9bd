"""What Python gives a part, held to what its constructor declares, as configurations are."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from torch import nn

Part = TypeVar("Part", bound=type)
PLAIN: Mapping[Any, tuple[type, str]] = {  # declared -> accepted (NumPy's as well), and in words
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "text"),
    bool: (bool, "True or False"),
    NoneType: (NoneType, "None"),
}


def checks_kinds(part: Part) -> Part:
    """Let a class refuse arguments of another kind than its constructor declares.

    A bool is no number, a whole number is one, and a module is not a function that makes one.
    Kinds that only a use can show, such as the elements of a list, are left to the part.

    The constructor raises ValueError with the argument, its value and what is allowed.
    """
    init = part.__init__  # type: ignore[misc]
    kinds, names = get_type_hints(init), list(signature(init).parameters)[1:]

    @wraps(init)
    def checked(self: Any, *args: Any, **given: Any) -> None:
        for name, value in {**dict(zip(names, args, strict=False)), **given}.items():
            allowed = _refused(value, kinds.get(name, object))
            if allowed:
                raise ValueError(f"{name}={_shown(value)}: must be {allowed}")
        init(self, *args, **given)

    part.__init__ = checked  # type: ignore[misc]
    return part


def _refused(value: object, kind: Any) -> str:
    """Return what is allowed in place of a value, in words; "" for one that is of the kind."""
    options = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    if any(_may_be(value, option) for option in options):
        return ""
    return " or ".join(dict.fromkeys(_words(option) for option in options))


def _may_be(value: object, option: Any) -> bool:
    if get_origin(option) is Callable:
        return callable(value) and not isinstance(value, nn.Module)
    if option in PLAIN:
        return isinstance(value, PLAIN[option][0]) and (option is bool) >= isinstance(value, bool)
    return not _is_class(option) or isinstance(value, option)


def _is_class(option: Any) -> bool:
    """Say whether `isinstance` can tell; it cannot for a protocol, or a list of something."""
    return (
        option is not Any
        and isinstance(option, type)
        and get_origin(option) is None
        and not getattr(option, "_is_protocol", False)
    )


def _words(option: Any) -> str:
    if option in PLAIN:
        return PLAIN[option][1]
    if get_origin(option) is Callable:
        return "a function that makes it, such as a class or a lambda"
    return f"of the class {option.__name__}"


def _shown(value: object) -> str:
    """Return a value in one short line."""
    told = type(value).__name__ if isinstance(value, nn.Module) else " ".join(repr(value).split())
    return told if len(told) <= 40 else f"{told[:37]}..."
