"""An engine as a person names it, with its options; read without importing the engine."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple, get_origin, get_type_hints

from moebench.papers.nearest import nearest
from moebench.run.engines.engine_options import LocalOptions, RayOptions, SlurmOptions

LOCAL, RAY, SLURM = "local", "ray", "slurm"


OPTIONS: Mapping[str, type] = {LOCAL: LocalOptions, RAY: RayOptions, SLURM: SlurmOptions}


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
