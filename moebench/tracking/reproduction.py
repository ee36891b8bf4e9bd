"""A reproduction in MLflow: the parent of its runs, found again after a kill."""

import math
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from moebench.evidence.record_files import json_of
from moebench.tracking.children import PARENT, Archive, Children, Partner
from moebench.tracking.store import Point, Store


class Reproduction:
    """The parent run of a folder of runs, with a child for each arm and seed.

    Args:
        store: where it is sent.
        folder: `<root>/<target>/<profile>`; this process has locked it.
        tags: of the parent, beside target and profile.
    """

    def __init__(self, store: Store, folder: Path, tags: Mapping[str, str]) -> None:
        self.store = store
        self.folder = folder
        archive = Archive(store, folder)
        self.parent = self._take_up(archive, tags)
        self.children = Children(store, folder, archive, self.parent)
        for run_id in archive.orphans:  # whose parent somebody has deleted
            store.tag(run_id, {PARENT: self.parent})

    def _take_up(self, archive: Archive, tags: Mapping[str, str]) -> str:
        """Return the parent, an earlier one if there is."""
        target, profile = self.folder.parent.name, self.folder.name
        own = {"target": target, "profile": profile, "moebench.folder": archive.identity}
        tags = {**tags, **own, "moebench.kind": "reproduction"}
        if not archive.parents:
            return self.store.begin(f"{target} {profile}", tags, time.time())
        parent = archive.parents[0]
        self.store.resume(parent)
        self.store.tag(parent, tags)
        return parent

    def update(self, seconds: float = math.inf) -> None:
        """Send what is new in the folder, for so many seconds."""
        self.children.update(seconds)

    def close(
        self, partners: Mapping[str, Partner], files: Iterable[Path], status: str = "FINISHED"
    ) -> None:
        """Send the rest, stop what has not ended, link the dense baselines, end the parent.

        Args:
            partners: arm -> the dense arm it is compared with.
            files: artifacts of the parent; those that exist are copied.
            status: of the parent: FINISHED, FAILED or KILLED.
        """
        self.children.close(partners)
        self.store.add_files(self.parent, files)
        self._count_verdicts()
        self.store.end(self.parent, status)

    def _count_verdicts(self) -> None:
        """Log the number of verdicts by word; controls and additions are counted apart."""
        path = self.folder / "verdicts.json"
        verdicts = json_of(path) if path.exists() else []
        counts = Counter(f"{_kind(verdict)}/{verdict['verdict']}" for verdict in verdicts)
        now = time.time()
        self.store.log_points(self.parent, [Point(name, n, now, 0) for name, n in counts.items()])


def _kind(verdict: Mapping[str, Any]) -> str:
    """Return where a verdict is counted: among those on the paper, controls, or our additions."""
    if verdict.get("control_of"):
        return "controls"
    return "verdicts" if verdict.get("of_paper", True) else "ours"
