"""BibTeX of what a target or a run used: papers, parts with their sources, data and libraries.

Parts are read and not imported, which would take seconds.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from moebench.cli.part_sources import Part, parsed, part_of, parts
from moebench.cli.provenance import configs_of
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers import Target, target, targets
from moebench.papers.defaults import DEFAULT_DATA
from moebench.papers.references import Reference, cited_in, entry, merged, of_paper
from moebench.papers.yaml_files import read_yaml

RECORD, RECORDS = "record.json", "results.jsonl"


def bibliography(what: str) -> str:
    """Return BibTeX entries.

    Args:
        what: a target; or a file of records, or a folder of runs, however deep they lie in it.

    Raises:
        ValueError: for an unknown target, or a file or folder without a record.
    """
    records = _records(Path(what))
    if records:
        found = [one for one in targets() if one.folder in {run.target for run in records}]
    else:
        names = {name for one in targets() for name in (one.name, one.folder)}
        if what not in {"", *names} and Path(what).is_dir():
            raise ValueError(f"{what}: has no record, nor has it a file of records")
        found = [target(what)]
        records = read(found[0].evidence) if found[0].evidence.exists() else []
    configs = [run.config for run in records if run.config]
    configs += [config for one in found for config in _configs(one)]
    parts = _parts([DEFAULT_DATA, *configs])
    sources = [one for part in parts for one in _sources(part)]
    papers = [of_paper(one.paper) for one in found if one.paper.authors[:1].isupper()]  # people
    references = merged([*papers, *sources])
    entries = [one.bibtex for one in references]
    return "\n\n".join([*entries, *_software(records)])


def _records(path: Path) -> list[RunRecord]:
    """Return the records at a path; none where there is no such path."""
    if (path / RECORDS).is_file():
        files = [path / RECORDS]
    else:
        files = [path] if path.is_file() else sorted(path.rglob(RECORD))
    records = [record for file in files for record in read(file)]
    if path.is_file() and not records:
        raise ValueError(f"{path}: has no record")
    return records


def _configs(found: Target) -> Iterator[Mapping[str, Any]]:
    """Yield what the configurations of a target say, file by file, and what its arms change."""
    files = dict.fromkeys(file for arm in found.plan.arms for file in configs_of(found, arm.name))
    for file in files:
        yield read_yaml(file)
    for arm in found.plan.arms:
        yield arm.settings


def _parts(configs: Iterable[Mapping[str, Any]]) -> list[Part]:
    """Return every part that configurations name, by its short name or its class path."""
    short = {part.name: part for family in parts().values() for part in family}
    names = dict.fromkeys(name for config in configs for name in _texts(config))
    found = (short.get(name) or _at_path(name) for name in names)
    return [*{(part.module, part.name): part for part in found if part is not None}.values()]


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts in a configuration."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _at_path(name: str) -> Part | None:
    """Return the class that a dotted name stands for; None where it stands for none."""
    module, _, last = name.rpartition(".")
    if not module or not all(part.isidentifier() for part in name.split(".")):
        return None
    return part_of(last, module)


def _sources(part: Part) -> list[Reference]:
    """Return what the module of a part, or the part itself, names as its source."""
    texts = (ast.get_docstring(parsed(part.module)) or "", ast.get_docstring(part.node) or "")
    named = [one for text in texts for one in cited_in(text)]
    known = {one.arxiv: one for one in map(of_paper, (found.paper for found in targets()))}
    return [known.get(one.arxiv, one) if one.arxiv else one for one in named]


def _software(records: Iterable[RunRecord]) -> list[str]:
    """Return an entry for moebench and each library, with the versions of the runs."""
    versions: dict[str, dict[str, None]] = {"moebench": {}}
    for record in records:
        for name, version in record.versions.items():
            versions.setdefault(name, {})[version] = None
    return [
        entry(
            "misc",
            f"software-{name}",
            {
                "title": f"{{{name}}}",
                "howpublished": "software",
                "note": f"version {', '.join(known)}" if known else "",
            },
        )
        for name, known in versions.items()
    ]
