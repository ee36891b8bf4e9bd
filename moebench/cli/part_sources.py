"""What the parts are called and say of themselves, read from their source files.

To import them takes seconds, and needs torch; `moebench list` should answer at once.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import moebench

ROOT = Path(moebench.__file__).parents[1]
REGISTRY, FAMILIES = "moebench.experiment.part_registry", "FAMILIES"
DATA_MODULE = "LightningDataModule"  # what a data module of a paper inherits from


def families() -> dict[str, dict[str, str]]:
    """Return key of a configuration -> class -> first line of what it says of itself."""
    table, home = _resolved(FAMILIES, REGISTRY)
    assert isinstance(table, ast.Dict)
    found: dict[str, dict[str, str]] = {}
    for key, value in zip(table.keys, table.values, strict=True):
        assert isinstance(key, ast.Constant)
        found[str(key.value)] = {one.name: _first_line(one) for one in _classes(value, home)}
    return found


def data_modules_in(paper: Path, package: str) -> dict[str, str]:
    """Return dotted name -> first line of the data modules in a paper.

    Args:
        paper: its folder.
        package: that it is.
    """
    found = {}
    for path in sorted(paper.rglob("*.py")):
        if path.name.startswith("test_"):
            continue
        for node in _parsed(path).body:
            if isinstance(node, ast.ClassDef) and DATA_MODULE in map(_last, node.bases):
                inner = path.relative_to(paper).with_suffix("").parts
                found[".".join([package, *inner, node.name])] = _first_line(node)
    return found


def _classes(value: ast.expr, home: str) -> Iterator[ast.ClassDef]:
    """Yield the classes of a registry, which may be made of others, in a module."""
    if isinstance(value, ast.Dict):
        for one in value.values:
            yield from _classes(one, home)
    elif isinstance(value, ast.Name):
        found, there = _resolved(value.id, home)
        if isinstance(found, ast.ClassDef):
            yield found
        else:
            yield from _classes(found, there)


def _resolved(name: str, module: str) -> tuple[ast.Dict | ast.ClassDef, str]:
    """Return the registry or class of a name in a module, and the module that it is written in."""
    for node in _parsed(_file(module)).body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node, module
        names = {one.asname or one.name for one in getattr(node, "names", ())}
        if isinstance(node, ast.ImportFrom) and node.module and name in names:
            return _resolved(name, node.module)
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict):
            named = node.targets if isinstance(node, ast.Assign) else [node.target]
            if name in map(_last, named):
                return node.value, module
    raise LookupError(f"{module} has no {name}")


def _file(module: str) -> Path:
    """Return the file of a module of moebench."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _last(node: ast.expr) -> str:
    """Return the last word of a dotted name."""
    return ast.unparse(node).rpartition(".")[2]


def _first_line(node: ast.ClassDef) -> str:
    """Return what the docstring of a class begins with."""
    return (ast.get_docstring(node) or "").partition("\n")[0]
