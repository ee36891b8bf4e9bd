"""A reproduction in MLflow: the parent of its runs, found again after a kill."""

import math
import socket
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from moebench.evidence.record_files import IDENTITY, arm_of, files_of_runs, json_of
from moebench.tracking.child import Child, interrupt
from moebench.tracking.run_files import DENSE_ARM, MATCHED_ON, TAGS, digest, text
from moebench.tracking.store import Point, Store

PARENT = "mlflow.parentRunId"


class Partner(NamedTuple):
    """The dense arm that an arm is compared with, and the cost that is equal."""

    arm: str
    matched_on: str


class Archive:
    """What MLflow has of a folder of runs.

    Args:
        store: where to look.
        folder: `<root>/<target>/<profile>`.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.identity = f"{socket.gethostname()}:{folder.absolute()}"
        runs = store.search(target=folder.parent.name, profile=folder.name)
        # A record is known wherever its file lies; a run without one belongs to its folder.
        self.sent = {mark: r.run_id for r in runs if (mark := r.tags.get("moebench.record"))}
        self.linked = {r.run_id: r.tags.get("dense_baseline", "") for r in runs}
        own = [run for run in runs if run.tags.get("moebench.folder") == self.identity]
        self.parents = [run.run_id for run in own if run.tags["moebench.kind"] == "reproduction"]
        self.running = [run.run_id for run in own if run.status == "RUNNING"]
        self.orphans = [
            run.run_id
            for run in own
            if run.tags["moebench.kind"] == "run" and run.tags.get(PARENT) not in self.parents
        ]
        self.unfinished = {
            (run.tags["arm"], run.tags["seed"], run.tags["moebench.config"]): run.run_id
            for run in reversed(own)  # the newest wins
            if run.tags["moebench.kind"] == "run" and "moebench.record" not in run.tags
        }


class Reproduction:
    """The parent run of a folder of runs, with a child for each arm and seed.

    This process has locked the folder, so any that left runs of it RUNNING is dead: those are set
    to KILLED until a worker continues them.

    Args:
        store: where it is sent.
        folder: `<root>/<target>/<profile>`.
        tags: of the parent, beside target and profile.
    """

    def __init__(self, store: Store, folder: Path, tags: Mapping[str, str]) -> None:
        self.store = store
        self.folder = folder
        self.children: dict[Path, Child] = {}
        self.archive = Archive(store, folder)
        self.tags = {
            "target": folder.parent.name,
            "profile": folder.name,
            "moebench.folder": self.archive.identity,
        }
        self.parent = self._take_up({**tags, **self.tags, "moebench.kind": "reproduction"})
        for run_id in self.archive.orphans:  # whose parent somebody has deleted
            store.tag(run_id, {PARENT: self.parent})

    def _take_up(self, tags: Mapping[str, str]) -> str:
        """Return the parent, an earlier one if there is; mark what a dead process left RUNNING."""
        for run_id in set(self.archive.running) - set(self.archive.parents[:1]):
            interrupt(self.store, run_id)
        if not self.archive.parents:
            return self.store.begin(
                f"{self.folder.parent.name} {self.folder.name}", tags, time.time()
            )
        parent = self.archive.parents[0]
        self.store.resume(parent)
        self.store.tag(parent, tags)
        return parent

    def update(self, seconds: float = math.inf) -> None:
        """Send what is new in the folder.

        Args:
            seconds: after these no further run is sent; the next call begins with the rest.
        """
        deadline = time.monotonic() + seconds
        for path in files_of_runs(self.folder, "config.json"):
            self._look(path.parent, text(path))
        for child in sorted(self.children.values(), key=lambda child: child.updated):
            child.update(self.archive.sent)
            if child.record:  # its folder may move, and is then looked at anew
                self.archive.sent[child.record] = child.run_id
            if time.monotonic() > deadline:
                break

    def _look(self, folder: Path, config: str) -> None:
        """Make sure that there is a child for a folder and the configuration in it."""
        known = self.children.get(folder)
        if not config or (known is not None and not known.outdated(config)):
            return
        if known is not None:
            known.stop()
        arm, seed = arm_of(folder), folder.name.removeprefix("seed_")
        tags = {
            **self.tags,
            PARENT: self.parent,
            "arm": arm,
            "seed": seed,
            "moebench.kind": "run",
            # Data may change while the configuration says the same of them.
            "moebench.config": digest(config + text(folder / IDENTITY)),
        }
        key = arm, seed, tags["moebench.config"]
        interrupted = self.archive.unfinished.get(key, "")
        self.children[folder] = Child(self.store, folder, config, tags, interrupted)
        self.archive.unfinished.pop(key, None)  # what comes after this one is a new run

    def close(
        self, partners: Mapping[str, Partner], files: Iterable[Path], status: str = "FINISHED"
    ) -> None:
        """Send the rest, stop what has not ended, link the dense baselines, end the parent.

        Runs get the further tags that `tags.json` in the folder has for their arms; these may name
        the dense arm, too.

        Args:
            partners: arm -> the dense arm it is compared with.
            files: artifacts of the parent; those that exist are copied.
            status: of the parent: FINISHED, FAILED or KILLED.
        """
        self.update()
        tags = json_of(self.folder / TAGS) if (self.folder / TAGS).exists() else {}
        for folder, child in self.children.items():
            child.stop()
            own = tags.get(folder.parent.name, {})
            if child.run_id and own:
                self.store.tag(child.run_id, own)
            named = Partner(own[DENSE_ARM], own[MATCHED_ON]) if DENSE_ARM in own else None
            partner = partners.get(folder.parent.name, named)
            if child.run_id and partner is not None:
                self._link(child, self.folder / partner.arm / folder.name, partner.matched_on)
        self.store.add_files(self.parent, files)
        self._count_verdicts()
        self.store.end(self.parent, status)

    def _link(self, child: Child, folder: Path, matched_on: str) -> None:
        """Tag a run with the dense run of the same seed, if that is in MLflow."""
        dense = self.children.get(folder, child)
        if dense is not child and dense.run_id not in {"", self.archive.linked.get(child.run_id)}:
            tags = {"dense_baseline": dense.run_id, "matched_on": matched_on}
            self.store.tag(child.run_id, tags)

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
