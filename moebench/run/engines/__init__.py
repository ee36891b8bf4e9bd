"""Engines by name: each is one file, imported when it is asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from moebench.papers.nearest import nearest

if TYPE_CHECKING:  # it needs torch, which a command line does not
    from moebench.run.engine import Engine

LOCAL = "local"


def local(workers: int) -> "Engine":
    """Return processes of this machine."""
    from moebench.run.engines.local import Local

    return Local(workers)


ENGINES: dict[str, "Callable[[int], Engine]"] = {LOCAL: local}


def known_engine(name: str) -> str:
    """Return the name of an engine.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in ENGINES:
        raise ValueError(f"engine={name}: unknown; {nearest(name, ENGINES)}")
    return name


def open_engine(name: str, workers: int) -> "Engine":
    """Return an engine, ready for jobs.

    Args:
        name: one of ENGINES; an extra of moebench with the same name brings what it needs.
        workers: how many jobs run at once.

    Raises:
        ValueError: if there is none of that name, or what it needs is not installed.
    """
    make = ENGINES[known_engine(name)]
    try:
        return make(workers)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'engine={name}: needs {error.name}; `pip install "moebench[{name}]"` brings it'
        ) from error
