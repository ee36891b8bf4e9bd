"""The options of a part: what each takes in plain words, its default, and what it says of itself.

Read from source files, as the names of parts are.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from docstring_parser import parse
from docstring_parser.common import DocstringStyle

from moebench.cli.part_sources import Part, defined, lines_of

NEEDED = "needed"  # in the place of a default
PLAIN = {
    **{"int": "whole number", "float": "number", "str": "text", "bool": "true or false"},
    **{"dict": "keys and values", "Mapping": "keys and values", "None": "null"},
}
SEVERAL = {"Iterable", "Sequence", "list", "tuple"}


class Option(NamedTuple):
    """One argument of a part."""

    name: str
    kind: str
    default: str
    says: str
    inner: Sequence[Part]  # classes that it is made of


def options_of(part: Part) -> list[Option]:
    """Return what a part takes, in its order."""
    if is_of_keys(part):
        return [*_fields(part)]
    found = [*_arguments(part)]
    said = parse(ast.get_docstring(part.node) or "", DocstringStyle.GOOGLE).params
    words = {one.arg_name: " ".join((one.description or "").split()) for one in said}
    return [option._replace(says=words.get(option.name, "")) for option in found]


def is_of_keys(part: Part) -> bool:
    """Say whether a class is written as its keys alone, without a name: a dataclass is."""
    return any("dataclass" in ast.unparse(one) for one in part.node.decorator_list)


def _arguments(part: Part) -> Iterator[Option]:
    """Yield the arguments of a constructor."""
    for node in part.node.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            taken = node.args
            named = [*taken.args[1:], *taken.kwonlyargs]
            missing = [None] * (len(taken.args) - 1 - len(taken.defaults))
            values = [*missing, *taken.defaults, *taken.kw_defaults]
            for one, value in zip(named, values, strict=True):
                yield _option(one.arg, one.annotation, value, "", part.module)


def _fields(part: Part) -> Iterator[Option]:
    """Yield the fields of a dataclass; what they say is in comments beside and before them."""
    lines = lines_of(part.module)
    for node in part.node.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            beside = lines[node.lineno - 1].partition("#")[2].strip()
            before: list[str] = []
            for line in reversed(lines[: node.lineno - 1]):
                if not line.strip().startswith("#"):
                    break
                before.insert(0, line.strip(" #"))
            says = beside or " ".join(before)
            yield _option(node.target.id, node.annotation, node.value, says, part.module)


def _option(
    name: str, annotation: ast.expr | None, value: ast.expr | None, says: str, module: str
) -> Option:
    """Return an option from what its source has."""
    inner = [*_inner(annotation, module), *_inner(value, module)]
    distinct = {one.name: one for one in inner}
    kind = "anything" if annotation is None else kind_of(annotation, module)
    return Option(name, kind, default_of(value, module), says, [*distinct.values()])


def kind_of(annotation: ast.expr, module: str) -> str:
    """Return in plain words what an annotation of a module stands for."""
    match annotation:
        case ast.Constant(value=value):
            return "null" if value is None else str(value)
        case ast.Name(id=name):
            return PLAIN.get(name) or _kind_of_name(name, module)
        case ast.BinOp(left=left, right=right):
            kinds = [kind_of(left, module), kind_of(right, module)]
            return " or ".join(dict.fromkeys(kinds))
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            values = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return " or ".join(kind_of(value, module) for value in values)
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in SEVERAL:
            first = inner.elts[0] if isinstance(inner, ast.Tuple) else inner
            return f"list of {kind_of(first, module)}"
        case ast.Subscript(value=ast.Name(id=name)):
            return PLAIN.get(name, "part")
    return "part"


def _kind_of_name(name: str, module: str) -> str:
    """Return what a name stands for: a class, or an alias of something else."""
    try:
        found, home = defined(name, module)
    except LookupError:
        return "part"
    if isinstance(found, ast.ClassDef):
        return "keys" if is_of_keys(Part(found, home)) else "part"
    return kind_of(found, home)


def default_of(value: ast.expr | None, module: str) -> str:
    """Return a default as a configuration would have it."""
    match value:
        case None:
            return NEEDED
        case ast.Constant(value=None | True | False as constant):
            return "null" if constant is None else str(constant).lower()
        case ast.Constant(value=constant):
            return str(constant)
        case ast.Tuple(elts=elements) | ast.List(elts=elements):
            return f"[{', '.join(default_of(one, module) for one in elements)}]"
        case ast.Name(id=name):
            return _default_of_name(name, module)
        case ast.Lambda(body=body):
            return default_of(body, module)
        case ast.Call(func=ast.Name(id="field"), keywords=[ast.keyword(value=inner), *_]):
            return {"dict": "{}", "list": "[]", "tuple": "[]"}.get(
                ast.unparse(inner), default_of(inner, module)
            )
        case ast.Call(func=function, keywords=keywords):
            given = ", ".join(f"{one.arg}: {default_of(one.value, module)}" for one in keywords)
            return f"{ast.unparse(function)}({given})"
    return ast.unparse(value)


def _default_of_name(name: str, module: str) -> str:
    """Return the value of a constant, or the name of a class."""
    try:
        found, home = defined(name, module)
    except LookupError:
        return name
    return found.name if isinstance(found, ast.ClassDef) else default_of(found, home)


def _inner(value: ast.expr | None, module: str) -> Iterator[Part]:
    """Yield the classes that an annotation or a default names; of a function, none."""
    match value:
        case ast.Name(id=name):
            try:
                found, home = defined(name, module)
            except LookupError:
                return
            if isinstance(found, ast.ClassDef):
                yield Part(found, home)
            else:
                yield from _inner(found, home)
        case ast.BinOp(left=left, right=right):
            yield from _inner(left, module)
            yield from _inner(right, module)
        case ast.Subscript(value=ast.Name(id=name), slice=inner) if name in SEVERAL:
            yield from _inner(inner, module)
        case ast.Call(func=function):
            yield from _inner(function, module)
