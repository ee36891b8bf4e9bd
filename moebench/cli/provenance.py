"""What is said of the evidence of a paper: whether its data are today's, and whether mixed.

The code of today is read and not imported, which would take seconds.
"""

import ast
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from moebench.cli.part_sources import Part, assigned, part_of, parts
from moebench.evidence.record import RunRecord
from moebench.papers import Target
from moebench.papers.defaults import DEFAULT_DATA
from moebench.papers.yaml_files import data_named, read_yaml
from moebench.verdict.mixed_evidence import mixed_claims


def notices(found: Target, records: Sequence[RunRecord]) -> list[str]:
    """Return what is to be said wherever these records of one profile are shown."""
    older = outdated(found, records)
    mixed = [f"Mixed evidence: {why}." for why in mixed_claims(found.claims, records)]
    return [older, *mixed] if older else mixed


def outdated(found: Target, records: Sequence[RunRecord]) -> str:
    """Say in a sentence how many runs are of older data than today's; empty where none is.

    A record has the version of its data; the module they came from is that of its arm.
    """
    classes = {one.name: f"{one.module}.{one.name}" for one in parts()["data"]}
    classes[""] = str(DEFAULT_DATA["class_path"])

    @cache
    def class_of(arm: str) -> str:
        files = configs_of(found, arm)
        name = data_named(files)
        return classes.get(name, name) if files else ""

    return outdated_of(records, lambda record: class_of(record.arm))


def outdated_of(records: Sequence[RunRecord], class_of: Callable[[RunRecord], str]) -> str:
    """Say the same of runs whose data module is known.

    Args:
        records: of runs.
        class_of: returns the class path of the data module of a run, empty where it has none.
    """
    with_data = [record for record in records if record.data_hash and record.steps]
    class_paths = [class_of(record) for record in with_data]
    known = {path: _version_today(path) for path in dict.fromkeys(class_paths)}
    older = Counter(
        (path.rpartition(".")[2], record.data_version, known[path])
        for record, path in zip(with_data, class_paths, strict=True)
        if record.data_version < known[path]
    )
    told = [
        f"{count} of {len(with_data)} runs used version {version} of the data `{name}`,"
        f" which are now at version {today}"
        for (name, version, today), count in sorted(older.items())
    ]
    return f"{'; '.join(told)}: this evidence is out of date." if told else ""


def _version_today(path: str) -> int:
    """Return the version that the data module of a class path has by now; 1 if it is not there."""
    module, _, name = path.rpartition(".")
    part = part_of(name, module) if module else None
    return 1 if part is None else version_of(part)


def version_of(part: Part) -> int:
    """Return the version of a data module, or that of a class it inherits from; else 1."""
    for node in part.node.body:
        for target, value in assigned(node):
            if ast.unparse(target) == "version":
                return int(ast.literal_eval(value))
    bases = (part_of(ast.unparse(base), part.module) for base in part.node.bases)
    return next((version_of(base) for base in bases if base is not None), 1)


def configs_of(found: Target, arm: str) -> tuple[Path, ...]:
    """Return the configuration files of an arm or of the points of a sweep; none if it has none."""
    for known in found.plan.arms:
        if known.name == arm:
            return tuple(found.configs / name for name in known.configs)
    file = found.plan.sweeps.get(arm.partition("/")[0])
    if file is None:
        return ()
    named_there = read_yaml(found.configs / file)["experiment"]
    names = named_there if isinstance(named_there, list) else [named_there]
    return tuple((found.configs / file).parent / name for name in names)
