"""The code outside moebench that a configuration runs: an edit of it makes a different run.

Every class that a configuration names is traced to its module, and from there to everything that
the module imports, at any depth. A module outside the installed packages is identified by a digest
of its file, or of the archive that contains it; an installed package by its version. Papers are
always identified by digests, so that a run is the same from a checkout and from a wheel. Imports by
a computed name, files that a module reads, and imports inside archives are not seen.
"""

import ast
import functools
import hashlib
import importlib
import importlib.metadata
import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.util import resolve_name
from pathlib import Path
from typing import Any, NamedTuple

from moebench.papers.home import PACKAGE

# Records list the versions of these separately.
KNOWN = frozenset({"moebench", "torch", "pytorch_lightning", "lightning_fabric", "numpy"})
OURS = frozenset({"moebench", PACKAGE})
INSTALLED = frozenset({"site-packages", "dist-packages"})
STANDARD = Path(os.__file__).parent


class ModuleLocation(NamedTuple):
    """The file of a module, if it has one, and the folders of its submodules if it is a package."""

    file: Path | None
    folders: Sequence[str] | None


def code_of(config: Any) -> dict[str, str]:
    """Return module -> digest, installed package -> version, of all classes in a configuration.

    Args:
        config: maps, lists and values, with a `class_path` at any depth.
    """
    return code_of_modules(class_modules(config))


def class_modules(config: Any) -> Iterator[str]:
    """Yield the module of every class in a configuration."""
    return (path.rpartition(".")[0] for path in class_paths(config))


def class_paths(config: Any) -> Iterator[str]:
    """Yield every `class_path`, at any depth."""
    if isinstance(config, Mapping):
        if isinstance(path := config.get("class_path"), str):
            yield path
        for value in config.values():
            yield from class_paths(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from class_paths(value)


@functools.cache
def source_of_modules(names: frozenset[str]) -> str:
    """Return a digest of these modules and their imports, as far as in moebench or in papers.

    Computed once per process: later edits of a file do not change what has been imported.
    """
    found = code_of_modules(sorted(names), OURS)
    own = {name: digest for name, digest in found.items() if name.partition(".")[0] in OURS}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


def code_of_modules(
    names: Iterator[str] | Sequence[str], own: Collection[str] = ()
) -> dict[str, str]:
    """Return module -> digest, installed package -> version, of modules and their imports.

    Args:
        names: names of the modules.
        own: packages whose modules are identified by digests even if installed.
    """
    found: dict[str, str] = {}
    seen: set[str] = set()
    waiting = [part for name in names for part in _with_parents(name)]
    while waiting:
        name = waiting.pop()
        package = name.partition(".")[0]
        if name in seen or (package in KNOWN and package not in own):
            continue
        seen.add(name)
        location = _locate(name)
        file = _file(location)
        if location is None or file is None:
            continue
        if INSTALLED.intersection(file.parts) and package not in {*own, PACKAGE}:
            if version := _version(package):
                found[package] = version
                continue
        elif file.is_relative_to(STANDARD):
            continue
        source = file.read_bytes()
        found[name] = hashlib.sha256(source).hexdigest()[:12]
        if file.suffix == ".py":
            waiting += _imports(source, name, is_package=location.folders is not None)
    return dict(sorted(found.items()))


def _with_parents(name: str) -> Iterator[str]:
    """Yield a module and the packages around it; importing it runs them all."""
    while name:
        yield name
        name = name.rpartition(".")[0]


@functools.cache
def _imports(source: bytes, name: str, is_package: bool) -> tuple[str, ...]:
    """Return what a module may import; for `from a import b` both a and a.b, a possible module."""
    package = name if is_package else name.rpartition(".")[0]
    found: list[str] = []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # it cannot be imported either
        return ()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found += _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                try:
                    base = resolve_name("." * node.level + base, package)
                except ImportError:  # a file taken out of its package
                    continue
            found += _with_parents(base)
            found += [f"{base}.{alias.name}" for alias in node.names]
    return tuple(found)


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a syntax tree but for expressions: most of it, and none imports."""
    waiting = [tree]
    while waiting:
        yield (node := waiting.pop())
        for block in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, block, [])


def _locate(name: str) -> ModuleLocation | None:
    """Find a module without importing it; None if there is none."""
    if name in OURS:  # importing the package of papers adds the user's own papers to it
        with suppress(ModuleNotFoundError):
            importlib.import_module(name)
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return ModuleLocation(Path(file) if file else None, getattr(module, "__path__", None))
    parent, _, _ = name.rpartition(".")
    folders = None
    if parent:
        package = _locate(parent)
        if package is None or package.folders is None:
            return None
        folders = package.folders
    for finder in sys.meta_path:
        spec = finder.find_spec(name, folders)
        if spec is not None:
            file = Path(spec.origin) if spec.has_location and spec.origin else None
            return ModuleLocation(file, spec.submodule_search_locations)
    return None


def _file(location: ModuleLocation | None) -> Path | None:
    """Return a module's own file, or the archive that contains it; None if it has no file."""
    if location is None or location.file is None:
        return None
    return next((path for path in (location.file, *location.file.parents) if path.is_file()), None)


@functools.cache  # it reads files of the distribution; what is imported stays as it is
def _version(package: str) -> str:
    """Return the version of an installed package, whatever the name of its distribution.

    It is empty for a file without a distribution, such as one copied into the folder by hand.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        distributions = _distributions().get(package, [])
        return ", ".join(sorted({importlib.metadata.version(name) for name in distributions}))


@functools.cache  # it reads the file lists of all installed distributions
def _distributions() -> Mapping[str, list[str]]:
    """Return package -> the distributions that contain it."""
    return importlib.metadata.packages_distributions()
