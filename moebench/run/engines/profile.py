"""What a person may say of an engine: its options, read without importing the engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple, get_origin, get_type_hints

from moebench.papers.nearest import nearest

LOCAL, SLURM = "local", "slurm"


@dataclass(frozen=True)
class LocalOptions:
    """Processes of this machine; there is nothing to choose but how many."""


@dataclass(frozen=True)
class SlurmOptions:
    """What every run asks of a Slurm cluster; empty or 0: what the cluster gives by default.

    Args:
        partition: where runs go.
        account: who pays for them.
        qos: quality of service.
        constraint: features of a node.
        cpus: of a run, for all its devices together.
        gpus: of a run, for all its devices together.
        memory_gb: of a run.
        minutes: time limit; a run that is not done by then goes on from its checkpoint, later.
        notice: seconds before the time limit at which it is put back into the queue.
        requeues: how often a run is put back before it counts as lost.
        array_size: most runs that are submitted as one job array.
        array_parallelism: how many of an array run at once.
        more: further options of `sbatch`, such as `mail-type: FAIL`.

    Raises:
        ValueError: for a number that is too small.
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    cpus: int = 1
    gpus: int = 0
    memory_gb: float = 0.0
    minutes: int = 0
    notice: int = 90
    requeues: int = 20
    array_size: int = 1000
    array_parallelism: int = 1000
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("cpus", "notice", "array_size", "array_parallelism"):
            refuse_below(name, getattr(self, name), 1)
        for name in ("gpus", "memory_gb", "minutes", "requeues"):
            refuse_below(name, getattr(self, name), 0)


OPTIONS: Mapping[str, type] = {LOCAL: LocalOptions, SLURM: SlurmOptions}


class EngineProfile(NamedTuple):
    """An engine and its options."""

    name: str = LOCAL
    options: Any = LocalOptions()


def engine_profile(engine: str) -> EngineProfile:
    """Return an engine as a person names it.

    Args:
        engine: the name of one, the address of a cluster such as `ray://head:10001`, or a YAML file
            with the key `engine` and options of that engine.

    Raises:
        ValueError: for an unknown engine, or an option that it does not have or that is wrong.
        FileNotFoundError: if there is no such file.
    """
    if not engine.endswith((".yaml", ".yml")):
        name, separator, _ = engine.partition("://")
        return _profile(name, {"address": engine} if separator else {})
    from moebench.papers.yaml_files import naming_file, read_yaml  # slow, and rarely needed

    content = read_yaml(path := Path(engine))
    with naming_file(path):
        if "engine" not in content:
            raise ValueError(f"engine: missing; one of {', '.join(OPTIONS)}")
        return _profile(str(content.pop("engine")), content)


def _profile(name: str, content: Mapping[str, Any]) -> EngineProfile:
    if name not in OPTIONS:
        raise ValueError(f"engine={name}: unknown; {nearest(name, OPTIONS)}")
    return EngineProfile(name, _options(OPTIONS[name], content))


def _options(kind: type, content: Mapping[str, Any]) -> Any:
    """Return the options of an engine, after checking names and types."""
    names = [one.name for one in fields(kind)]
    types = get_type_hints(kind)
    for key, value in content.items():
        if key not in names:
            known = nearest(key, names) if names else "this engine has no options"
            raise ValueError(f"{key}: unknown; {known}")
        if not _fits(value, types[key]):
            expected = getattr(types[key], "__name__", str(types[key]))
            raise ValueError(f"{key}={value}: expected {expected}")
    return kind(**content)


def _fits(value: object, expected: Any) -> bool:
    """Say whether a value of a YAML file is of a type; a whole number is a float as well."""
    plain = Mapping if get_origin(expected) is Mapping else expected
    if isinstance(value, bool):
        return plain is bool
    return isinstance(value, plain) or (isinstance(value, int) and isinstance(0.0, plain))


def refuse_below(name: str, value: float, least: float) -> None:
    """Refuse an option that is too small.

    Raises:
        ValueError: names it, its value and the least.
    """
    if not value >= least:
        raise ValueError(f"{name}={value:g}: must be at least {least:g}")
