"""The code that a configuration runs beside moebench's own, so that an edit makes another run.

Every class that a configuration names is followed to its module, and from there to all that this
imports, at any depth. A module that lies outside the installed packages counts with a digest of its
file, in an archive with one of that; an installed package counts with its version. Papers always
count with digests, so that a run is the same from a checkout and from a wheel. What a module
imports by a computed name is not seen, nor are files that it reads, nor what archives import.
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

# Every record has the versions of these.
KNOWN = frozenset({"moebench", "torch", "pytorch_lightning", "lightning_fabric", "numpy"})
OURS = frozenset({"moebench", PACKAGE})
INSTALLED = frozenset({"site-packages", "dist-packages"})
STANDARD = Path(os.__file__).parent


class Place(NamedTuple):
    """Where a module is: its file, if it has one, and the folders of its submodules."""

    file: Path | None
    inside: Sequence[str] | None


def code_of(config: Any) -> dict[str, str]:
    """Return module -> digest, and installed package -> version, of all classes of a configuration.

    Args:
        config: maps, lists and values; every `class_path` in it counts.
    """
    return code_of_modules(class_modules(config))


def class_modules(config: Any) -> Iterator[str]:
    """Yield the module of every class of a configuration."""
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
    """Return a digest of the modules of moebench and of papers that these are or import.

    Once a process: later edits of a file do not change what has been imported.
    """
    found = code_of_modules(sorted(names), OURS)
    own = {name: digest for name, digest in found.items() if name.partition(".")[0] in OURS}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]


def code_of_modules(
    names: Iterator[str] | Sequence[str], own: Collection[str] = ()
) -> dict[str, str]:
    """Return module -> digest, installed package -> version, of modules and what they import.

    Args:
        names: of modules.
        own: packages whose modules count with a digest wherever they lie.
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
        place = _place(name)
        file = _file(place)
        if place is None or file is None:
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
            waiting += _imports(source, name, is_package=place.inside is not None)
    return dict(sorted(found.items()))


def _with_parents(name: str) -> Iterator[str]:
    """Yield a module and the packages that it lies in; importing it runs them all."""
    while name:
        yield name
        name = name.rpartition(".")[0]


@functools.cache
def _imports(source: bytes, name: str, is_package: bool) -> tuple[str, ...]:
    """Return what a module may import: of `from a import b` a and a.b, as b may be a module."""
    package = name if is_package else name.rpartition(".")[0]
    found: list[str] = []
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):  # nobody can import it
        return ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found += _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                try:
                    base = resolve_name("." * node.level + base, package)
                except ImportError:  # a file that is part of a package elsewhere
                    continue
            found += _with_parents(base)
            found += [f"{base}.{alias.name}" for alias in node.names]
    return tuple(found)


def _place(name: str) -> Place | None:
    """Find a module without importing it; None where there is none of that name."""
    if name in OURS:  # papers of others join their package when it is imported
        with suppress(ModuleNotFoundError):
            importlib.import_module(name)
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return Place(Path(file) if file else None, getattr(module, "__path__", None))
    parent, _, _ = name.rpartition(".")
    folders = None
    if parent:
        above = _place(parent)
        if above is None or above.inside is None:
            return None
        folders = above.inside
    for finder in sys.meta_path:
        spec = finder.find_spec(name, folders)
        if spec is not None:
            file = Path(spec.origin) if spec.has_location and spec.origin else None
            return Place(file, spec.submodule_search_locations)
    return None


def _file(place: Place | None) -> Path | None:
    """Return the file that a module lies in: its own or the archive; None where it has none."""
    if place is None or place.file is None:
        return None
    return next((path for path in (place.file, *place.file.parents) if path.is_file()), None)


@functools.cache  # it reads files of the distribution; what is imported stays as it is
def _version(package: str) -> str:
    """Return the version of an installed package, whatever its distribution is called.

    It is empty for a file that nobody installed, such as one that was copied there.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        distributions = _distributions().get(package, [])
        return ", ".join(sorted({importlib.metadata.version(name) for name in distributions}))


@functools.cache  # it reads the lists of files of all that is installed
def _distributions() -> Mapping[str, list[str]]:
    """Return package -> the distributions that it may come from."""
    return importlib.metadata.packages_distributions()
