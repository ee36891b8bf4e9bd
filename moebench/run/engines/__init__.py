"""Engines by name: each is one file, imported when it is asked for."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from moebench.run.engines.engine_options import RayOptions, SlurmOptions
from moebench.run.engines.profile import LOCAL, RAY, SLURM, EngineProfile

if TYPE_CHECKING:  # it needs torch, which a command line does not
    from moebench.run.engine import Engine


class EngineGoneError(ConnectionError):
    """A cluster does not answer; it is no fault of the storage of a study, nor of MLflow."""


def local(_options: object, workers: int | None) -> "Engine":
    """Return processes of this machine; by default one per accelerator, or else per core."""
    from moebench.run.engines.local import Local
    from moebench.run.machine import default_workers

    return Local(default_workers() if workers is None else workers)


def ray(options: RayOptions, workers: int | None) -> "Engine":
    """Return a Ray cluster; by default as many runs as its nodes have room for."""
    from moebench.run.engines.ray import Ray

    return Ray(options, workers)


def slurm(options: SlurmOptions, workers: int | None) -> "Engine":
    """Return the queue of a Slurm cluster; by default as many runs as its nodes hold."""
    from moebench.run.engines.slurm import Slurm

    return Slurm(options, workers)


ENGINES: Mapping[str, "Callable[[Any, int | None], Engine]"] = {
    LOCAL: local,
    RAY: ray,
    SLURM: slurm,
}


def open_engine(profile: EngineProfile, workers: int | None) -> "Engine":
    """Return an engine, ready for jobs.

    Args:
        profile: which, with its options; an extra of moebench with its name brings what it needs.
        workers: how many jobs run at once; None: as many as the engine has room for.

    Raises:
        ValueError: if what it needs is not installed.
        EngineGoneError: if it cannot be reached.
    """
    name, options = profile
    try:
        return ENGINES[name](options, workers)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'engine={name}: needs {error.name}; `pip install "moebench[{name}]"` brings it'
        ) from error
