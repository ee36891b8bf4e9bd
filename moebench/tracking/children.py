"""The runs of a folder in MLflow: each is begun, kept up to date and ended by its files."""

import math
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from moebench.evidence.record_files import IDENTITY, arm_of, files_of_runs, json_of
from moebench.tracking.child import Child, interrupt
from moebench.tracking.run_files import DENSE_ARM, MATCHED_ON, TAGS, digest, text
from moebench.tracking.store import Store

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
        **run: arm and seed, if only one run is looked for.
    """

    def __init__(self, store: Store, folder: Path, **run: str) -> None:
        self.identity = f"{socket.gethostname()}:{folder.absolute()}"
        runs = store.search(target=folder.parent.name, profile=folder.name, **run)
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


class Children:
    """The runs of a folder that this process drives, and no other.

    Whoever left one of them RUNNING is dead, then: it is set to KILLED until a worker continues it.

    Args:
        store: where they are sent.
        folder: `<root>/<target>/<profile>`.
        archive: what MLflow has of them.
        parent: id of their parent; empty: they have none.
        **run: arm and seed, if there is only one run.
    """

    def __init__(
        self, store: Store, folder: Path, archive: Archive, parent: str, **run: str
    ) -> None:
        self.store = store
        self.folder = folder
        self.archive = archive
        self.tags = {
            "target": folder.parent.name,
            "profile": folder.name,
            "moebench.folder": archive.identity,
            "moebench.kind": "run",
            **({PARENT: parent} if parent else {}),
        }
        self._run = run
        self._children: dict[Path, Child] = {}
        for run_id in set(archive.running) - {parent}:
            interrupt(store, run_id)

    def update(self, seconds: float = math.inf) -> None:
        """Send what is new in the folder.

        Args:
            seconds: after these no further run is sent; the next call begins with the rest.
        """
        deadline = time.monotonic() + seconds
        for path in files_of_runs(self.folder, "config.json", **self._run):
            self._look(path.parent, text(path))
        for child in sorted(self._children.values(), key=lambda child: child.updated):
            child.update(self.archive.sent)
            if child.record:  # its folder may move, and is then looked at anew
                self.archive.sent[child.record] = child.run_id
            if time.monotonic() > deadline:
                break

    def _look(self, folder: Path, config: str) -> None:
        """Make sure that there is a child for a folder and the configuration in it."""
        known = self._children.get(folder)
        if not config or (known is not None and not known.outdated(config)):
            return
        if known is not None:
            known.stop()
        arm, seed = arm_of(folder), folder.name.removeprefix("seed_")
        tags = {
            **self.tags,
            "arm": arm,
            "seed": seed,
            # Data may change while the configuration says the same of them.
            "moebench.config": digest(config + text(folder / IDENTITY)),
        }
        key = arm, seed, tags["moebench.config"]
        interrupted = self.archive.unfinished.get(key, "")
        self._children[folder] = Child(self.store, folder, config, tags, interrupted)
        self.archive.unfinished.pop(key, None)  # what comes after this one is a new run

    def close(self, partners: Mapping[str, Partner]) -> None:
        """Send the rest, stop what has not ended, link the dense baselines.

        Runs get the further tags that `tags.json` in the folder has for their arms; these may name
        the dense arm, too.

        Args:
            partners: arm -> the dense arm it is compared with.
        """
        self.update()
        tags = json_of(self.folder / TAGS) if (self.folder / TAGS).exists() else {}
        for folder, child in self._children.items():
            child.stop()
            own = tags.get(folder.parent.name, {})
            if child.run_id and own:
                self.store.tag(child.run_id, own)
            named = Partner(own[DENSE_ARM], own[MATCHED_ON]) if DENSE_ARM in own else None
            partner = partners.get(folder.parent.name, named)
            if child.run_id and partner is not None:
                self._link(child, self.folder / partner.arm / folder.name, partner.matched_on)

    def _link(self, child: Child, folder: Path, matched_on: str) -> None:
        """Tag a run with the dense run of the same seed, if that is in MLflow."""
        dense = self._children.get(folder, child)
        if dense is not child and dense.run_id not in {"", self.archive.linked.get(child.run_id)}:
            tags = {"dense_baseline": dense.run_id, "matched_on": matched_on}
            self.store.tag(child.run_id, tags)
