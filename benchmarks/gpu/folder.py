"""The records in a folder: one line per item, with the file replaced atomically.

Finished items are never repeated, neither by the same command nor by one that continues from the
folder, unless the code that measures them has changed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.gpu.items import CUT, MEASURED, MISSING, Item, Outcome
from moebench import __version__
from moebench.evidence.record_files import write_whole
from moebench.experiment.code import code_of_modules
from moebench.run.machine import commit

FORMAT = 1  # increased when earlier lines can no longer be read
ITEMS = "items.jsonl"
OURS = ("moebench", "benchmarks")
Line = Mapping[str, Any]
SAME = ("card", "torch")  # must agree within a table; each record describes its whole machine
UNDONE = (CUT, MISSING)
KEYS = (
    *("format", "version", "stage", "item", "kind", "status", "seconds", "why", "found"),
    *("machine", "source", "commit"),
)
LONGER = 1.3  # an item may take this much longer than others of its kind


class Folder:
    """The results so far.

    Args:
        path: the folder; created if missing.
        machine: the machine measuring now.
    """

    def __init__(self, path: Path, machine: Mapping[str, str]) -> None:
        self.path = path
        self.machine = machine
        self._lines: dict[tuple[str, str], Line] = {}
        path.mkdir(parents=True, exist_ok=True)
        self.take(path)

    def take(self, other: Path) -> None:
        """Copy the results of a folder, this one or another.

        Raises:
            ValueError: if it cannot be read, or is from another version or machine.
        """
        for line in read(other / ITEMS):
            if line["version"] != __version__:
                raise ValueError(
                    f"{other}: measured by version {line['version']} of moebench, this is "
                    f"{__version__}; give a new folder"
                )
            there = line["machine"]
            if changed := [key for key in SAME if there.get(key) != self.machine[key]]:
                told = ", ".join(
                    f"{key} {there.get(key)}, now {self.machine[key]}" for key in changed
                )
                raise ValueError(
                    f"{other}: measured on another machine ({told}); give a new folder"
                )
            known = self._lines.get(key := (line["stage"], line["item"]))
            if known is None or known["status"] in UNDONE:
                self._lines[key] = line

    def finished(self, item: Item) -> bool:
        """Say whether an item is done: measured, or failed, with the present code.

        Items that lacked a package or ran out of time are tried again.
        """
        line = self._lines.get((item.stage, item.name))
        if line is None or line["status"] in UNDONE:
            return False
        return bool(line["source"] == source_of(item.stage))

    def estimate(self, item: Item) -> float:
        """Return the expected seconds of an item, from others of its kind."""
        own = self._lines.get((item.stage, item.name))
        if own is not None and own["status"] == CUT:
            return 2 * float(own["seconds"])
        alike = [
            line["seconds"]
            for line in self._lines.values()
            if line["status"] == MEASURED
            and (line["stage"], line["kind"]) == (item.stage, item.kind)
        ]
        return LONGER * max(alike) if alike else item.seconds

    def count(self, stage: str, kind: str) -> int:
        """Return the number of items of a stage and kind."""
        return sum((one["stage"], one["kind"]) == (stage, kind) for one in self._lines.values())

    def add(self, item: Item, outcome: Outcome) -> None:
        """Record the outcome of an item."""
        line = {
            "format": FORMAT,
            "version": __version__,
            "stage": item.stage,
            "item": item.name,
            "kind": item.kind,
            **asdict(outcome),
            "machine": dict(self.machine),
            "source": source_of(item.stage),
            "commit": commit(),
        }
        self._lines[item.stage, item.name] = line
        self.write()

    def write(self) -> None:
        """Write all lines."""
        text = "".join(json.dumps(line) + "\n" for line in self._lines.values())
        write_whole(self.path / ITEMS, text)


def read(path: Path) -> Iterator[Line]:
    """Yield the lines of a file; none if there is no such file.

    Raises:
        ValueError: for an invalid line, or one in another format.
    """
    if not path.exists():
        return
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            given = json.loads(text)
            line = {key: given[key] for key in KEYS}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}:{number}: not a record of this benchmark: {error}") from None
        if line["format"] != FORMAT:
            raise ValueError(
                f"{path}: written in format {line['format']}, this version reads {FORMAT}; give a "
                "new folder"
            )
        yield line


@cache
def source_of(stage: str) -> str:
    """Return a digest of the code that measures a stage."""
    found = code_of_modules([f"benchmarks.gpu.{stage}"], OURS)
    own = {name: digest for name, digest in found.items() if name.partition(".")[0] in OURS}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]
