"""What is said of the evidence of a paper: whether its data are today's, and whether mixed."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.experiment import data_named, load, read_yaml
from moebench.experiment.lightning_cli import DEFAULT_DATA
from moebench.experiment.part_registry import FAMILIES
from moebench.papers import Target
from moebench.papers.computed import import_function
from moebench.verdict.mixed_evidence import mixed_claims


def notices(found: Target, records: Sequence[RunRecord]) -> list[str]:
    """Return what is to be said wherever these records of one profile are shown."""
    older = outdated(found, records)
    mixed = [f"Mixed evidence: {why}." for why in mixed_claims(found.claims, records)]
    return [older, *mixed] if older else mixed


def outdated(found: Target, records: Sequence[RunRecord]) -> str:
    """Say in a sentence how many runs are of older data than today's; empty where none is.

    A record has the version of its data; the module they came from is that of its arm. To resolve
    the files of an arm takes a second, so that is done once for each name of data in them.
    """
    parts = FAMILIES["data"].values()
    classes = {one.__name__: f"{one.__module__}.{one.__name__}" for one in parts}
    classes[""] = str(DEFAULT_DATA["class_path"])

    @cache
    def class_of(arm: str) -> str:
        files = configs_of(found, arm)
        if not files:
            return ""
        name = data_named(files)
        if name not in classes:
            dotted = "." in name
            classes[name] = name if dotted else load(files).config["data"]["class_path"]
        return classes[name]

    return outdated_of(records, lambda record: class_of(record.arm))


def outdated_of(records: Sequence[RunRecord], class_of: Callable[[RunRecord], str]) -> str:
    """Say the same of runs whose data module is known.

    Args:
        records: of runs.
        class_of: returns the class path of the data module of a run, empty where it has none.
    """
    older: Counter[tuple[str, int, int]] = Counter()
    with_data = [record for record in records if record.data_hash and record.steps]
    for record in with_data:
        if path := class_of(record):
            module, _, name = path.rpartition(".")
            today = getattr(import_function(f"{module}:{name}"), "version", 1)
            if record.data_version < today:
                older[name, record.data_version, today] += 1
    parts = [
        f"{count} of {len(with_data)} runs were made from version {version} of the data `{name}`,"
        f" which have version {today} by now"
        for (name, version, today), count in sorted(older.items())
    ]
    return f"{'; '.join(parts)}: this evidence is to be made anew." if parts else ""


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
