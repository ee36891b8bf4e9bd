"""Names that a part or a paper of one's own can have."""

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path

from moebench.cli.part_sources import families
from moebench.papers import targets


def class_of(name: str) -> str:
    """Return the name of the class in a module."""
    return "".join(word.title() for word in name.split("_"))


def check_name(kind: str, name: str) -> None:
    """Refuse a name that no module can have, or that is taken.

    Raises:
        ValueError: saying what stands in its way.
    """
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise ValueError(
            f"name={name}: becomes the name of a module: lowercase letters, digits and _, beginning"
            " with a letter, and no keyword of Python"
        )
    if reason := _paper_of(name) if kind == "paper" else _module_of(name):
        raise ValueError(f"name={name}: {reason}; choose another")


def check_bound_once(name: str, text: str) -> None:
    """Refuse a name whose class would hide something that its own files import.

    Args:
        name: of the module.
        text: of a file of the recipe.

    Raises:
        ValueError: naming what would be hidden.
    """
    if hidden := [one for one, count in Counter(_bound(text)).items() if count > 1]:
        raise ValueError(
            f"name={name}: its class would hide {hidden[0]}, which it needs; choose another"
        )


def _paper_of(name: str) -> str:
    """Say which paper has a name; empty if none has."""
    titles = [one.paper.title for one in targets() if name in (one.name, one.folder)]
    return f"is the name of a paper already ({titles[0]})" if titles else ""


def _module_of(name: str) -> str:
    """Say what stands in the way of a module with this name; empty if nothing does."""
    if class_of(name) in dir(builtins):
        return f"its class would be called {class_of(name)}, as something of Python's own is"
    if name == "conftest" or name.startswith("test_"):
        return "pytest would take the module for tests"
    if not Path(f"{name}.py").exists() and find_spec(name) is not None:
        return "Python would import another module of that name"
    if any(class_of(name) in family for family in families().values()):
        return f"moebench has a part {class_of(name)}, and its short name must stand for one class"
    return ""


def _bound(text: str) -> Iterator[str]:
    """Yield the names that a module binds at the top level."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
