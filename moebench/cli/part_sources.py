"""What the parts are called and say of themselves, read from their source files.

To import them takes seconds, and needs torch; `moebench list` and `--help` should answer at once.
"""

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import moebench

ROOT = Path(moebench.__file__).parents[1]
REGISTRY, FAMILIES = "moebench.experiment.part_registry", "FAMILIES"
DATA_MODULE = "LightningDataModule"  # what a data module of a paper inherits from
Defined = ast.expr | ast.ClassDef


class Part(NamedTuple):
    """A class as its source file has it."""

    node: ast.ClassDef
    module: str

    @property
    def name(self) -> str:
        """Its name without that of its module."""
        return self.node.name

    @property
    def says(self) -> str:
        """The first line of its docstring."""
        return (ast.get_docstring(self.node) or "").partition("\n")[0]


@cache
def parts() -> Mapping[str, Sequence[Part]]:
    """Return key of a configuration -> the classes that may stand there."""
    table, home = defined(FAMILIES, REGISTRY)
    assert isinstance(table, ast.Dict)
    found = {}
    for key, value in zip(table.keys, table.values, strict=True):
        assert isinstance(key, ast.Constant)
        found[str(key.value)] = [*_classes(value, home)]
    return found


def families() -> dict[str, dict[str, str]]:
    """Return key of a configuration -> class -> first line of what it says of itself."""
    return {key: {one.name: one.says for one in family} for key, family in parts().items()}


def data_modules_in(paper: Path, package: str) -> dict[str, str]:
    """Return dotted name -> first line of the data modules in a paper.

    Args:
        paper: its folder.
        package: that it is.
    """
    found = {}
    for path in sorted(paper.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.name.startswith("test_") or DATA_MODULE not in text:
            continue
        inner = path.relative_to(paper).with_suffix("").parts
        module = ".".join([package, *inner])
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef) and DATA_MODULE in map(_last, node.bases):
                found[f"{module}.{node.name}"] = Part(node, module).says
    return found


def defined(name: str, module: str) -> tuple[Defined, str]:
    """Return the class or the value of a name in a module, and the module that it is written in.

    Raises:
        LookupError: if no source file says what it is.
    """
    for node in parsed(module).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node, module
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for one in node.names:
                if name == (one.asname or one.name):
                    return defined(one.name, node.module)
        for target, value in assigned(node):
            if name == _last(target):
                return value, module
    raise LookupError(f"{module} has no {name}")


def part_of(name: str, module: str) -> Part | None:
    """Return the class of a name in a module; None where it is none, or its source is not there."""
    try:
        found, home = defined(name, module)
    except LookupError:
        return None
    return Part(found, home) if isinstance(found, ast.ClassDef) else None


@cache
def parsed(module: str) -> ast.Module:
    """Return the syntax tree of a module.

    Raises:
        LookupError: if its source is not there, or is not Python.
    """
    try:
        return ast.parse("\n".join(lines_of(module)))
    except SyntaxError as error:
        raise LookupError(f"{module}: {error}") from error


@cache
def lines_of(module: str) -> Sequence[str]:
    """Return the source of a module, line by line; nothing is imported to find it.

    Raises:
        LookupError: if it is not there.
    """
    inner = Path(*module.split("."))
    for place in (ROOT, *map(Path, sys.path)):
        for path in (place / f"{inner}.py", place / inner / "__init__.py"):
            if path.is_file():
                return path.read_text(encoding="utf-8").split("\n")
    raise LookupError(f"there is no source of {module}")


def _classes(value: ast.expr, home: str) -> Iterator[Part]:
    """Yield the classes of a registry, which may be made of others, in a module."""
    if isinstance(value, ast.Dict):
        for one in value.values:
            yield from _classes(one, home)
    elif isinstance(value, ast.Name):
        found, there = defined(value.id, home)
        if isinstance(found, ast.ClassDef):
            yield Part(found, there)
        else:
            yield from _classes(found, there)


def assigned(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield each target of an assignment with its value, those of `a, b = x, y` one by one."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=True)
        else:
            yield target, node.value


def _last(node: ast.expr) -> str:
    """Return the last word of a dotted name."""
    return ast.unparse(node).rpartition(".")[2]
