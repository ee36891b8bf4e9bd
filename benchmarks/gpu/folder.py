"""The records of a folder: a line an item, and the file as a whole is always old or new.

What is finished is never done again, neither by the same command nor by one that goes on from the
folder, unless the code that measures it has changed.
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

FORMAT = 1  # raised when lines of before cannot be read any more
ITEMS = "items.jsonl"
OURS = ("moebench", "benchmarks")
Line = Mapping[str, Any]
SAME = ("card", "torch")  # where figures lie in one table; each tells the rest of its machine
UNDONE = (CUT, MISSING)
KEYS = (
    *("format", "version", "stage", "item", "kind", "status", "seconds", "why", "found"),
    *("machine", "source", "commit"),
)
LONGER = 1.3  # than one of its kind took, an item may take


class Folder:
    """What was found so far.

    Args:
        path: of the folder; it is made.
        machine: that measures now.
    """

    def __init__(self, path: Path, machine: Mapping[str, str]) -> None:
        self.path = path
        self.machine = machine
        self._lines: dict[tuple[str, str], Line] = {}
        path.mkdir(parents=True, exist_ok=True)
        self.take(path)

    def take(self, other: Path) -> None:
        """Take over what was found in a folder, this one or another.

        Raises:
            ValueError: if it cannot be read, is of another version, or of another machine.
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
        """Say whether there is nothing more to do: it was measured, or failed, by this very code.

        What lacked a package is tried again, and so is what ran out of time.
        """
        line = self._lines.get((item.stage, item.name))
        if line is None or line["status"] in UNDONE:
            return False
        return bool(line["source"] == source_of(item.stage))

    def estimate(self, item: Item) -> float:
        """Return the seconds that an item will take, by what those of its kind took."""
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
        """Return how many items of a stage and a kind there are."""
        return sum((one["stage"], one["kind"]) == (stage, kind) for one in self._lines.values())

    def add(self, item: Item, outcome: Outcome) -> None:
        """Write down what became of an item."""
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
    """Yield the lines of a file; none where there is no such file.

    Raises:
        ValueError: for a line that is not one, or in another format.
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
    """Return a digest of the code that measures in a stage."""
    found = code_of_modules([f"benchmarks.gpu.{stage}"], OURS)
    own = {name: digest for name, digest in found.items() if name.partition(".")[0] in OURS}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()[:16]
