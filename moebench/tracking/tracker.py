"""The sender of one folder of runs, `<root>/<target>/<profile>`."""

import hashlib
import json
import logging
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from moebench.records import read
from moebench.tracking.child import SERIES, Child, end, log_parameters, send_history
from moebench.tracking.store import open_store

log = logging.getLogger(__name__)

SECONDS = 5.0  # between two looks at the files


class Partner(NamedTuple):
    """The dense arm that an arm is compared with, and the cost that is equal."""

    arm: str
    matched_on: str


def connect(root: Path) -> "Tracker":
    """Open the store of a folder of all runs.

    Raises:
        ConnectionError: if it cannot be reached; names the URI and how to change it.
    """
    return Tracker(*open_store(root), root)


class Tracker:
    """Sends the runs of one folder; every failure after the connection is one warning at most.

    Args:
        client: an MlflowClient.
        uri: where it sends, for messages.
        experiment: number of the experiment.
        root: folder of all runs.
    """

    def __init__(self, client: Any, uri: str, experiment: str, root: Path) -> None:
        self.client = client
        self.uri = uri
        self.experiment = experiment
        self.root = root
        self.lost = False
        self.looked = 0.0
        self.parent = ""
        self.folder = root
        self.children: dict[tuple[str, str], Child] = {}

    def open(self, folder: Path, tags: Mapping[str, str]) -> None:
        """Take up, or begin, the parent run of a folder of runs `<root>/<target>/<profile>`."""
        self.folder = folder
        self._try(lambda: self._open(folder, tags))

    def poll(self, now: bool = False) -> None:
        """Send what the runs have written since the last look; at most every five seconds."""
        if now or time.monotonic() - self.looked >= SECONDS:
            self._try(self._send_new)
            self.looked = time.monotonic()

    def close(self, partners: Mapping[str, Partner], files: Iterable[Path]) -> None:
        """Link every run to its dense baseline, add the files, and end the parent.

        Args:
            partners: arm -> the dense arm it is compared with.
            files: artifacts of the parent.
        """
        self.poll(now=True)
        self._try(lambda: self._close(partners, files))

    def _try(self, action: Callable[[], None]) -> None:
        """Do something with the server; at its first failure warn, and from then on be quiet."""
        if self.lost:
            return
        try:
            action()
        except Exception as error:
            self.lost = True
            reason = str(error).splitlines()[0][:120]
            log.warning(
                "MLflow at %s stopped answering (%s): the runs are kept in %s; "
                "`moebench track` sends them later",
                *(self.uri, reason, self.folder),
            )

    def _open(self, folder: Path, tags: Mapping[str, str]) -> None:
        identity = f"{socket.gethostname()}:{folder.absolute()}"
        runs = self._search(f"tags.`moebench.folder` = '{identity}'")
        if runs:
            self.parent = runs[0].info.run_id
            self.client.update_run(self.parent, status="RUNNING")
        else:
            name = f"{folder.parent.name} {folder.name}"
            own = {"moebench.folder": identity, "moebench.kind": "reproduction", **tags}
            self.parent = self._create(name, own)
        for run in self._search(f"tags.`mlflow.parentRunId` = '{self.parent}'"):
            key = run.data.tags["moebench.place"], run.data.tags["moebench.config"]
            ended = run.info.status != "RUNNING"
            sent = {name: self._last_step(run, name) for name in SERIES}
            self.children[key] = Child(run.info.run_id, sent, ended)

    def _search(self, condition: str) -> list[Any]:
        """Return all runs that meet a condition, the newest first."""
        runs, token = [], None
        while True:
            page = self.client.search_runs([self.experiment], condition, page_token=token)
            runs += page
            token = page.token
            if not token:
                return runs

    def _last_step(self, run: Any, name: str) -> int:
        """Return the last step that a run has of a series; -1 for none."""
        history = self.client.get_metric_history(run.info.run_id, name)
        return max((metric.step for metric in history), default=-1)

    def _create(self, name: str, tags: Mapping[str, str]) -> str:
        run_id: str = self.client.create_run(
            self.experiment, run_name=name, tags=dict(tags)
        ).info.run_id
        return run_id

    def _send_new(self) -> None:
        for config in sorted(self.folder.glob("*/seed_*/config.json")):
            child = self._child(config.parent)
            record = config.parent / "record.json"
            if child.ended and not record.exists():  # a failed run is made again
                self.client.update_run(child.run_id, status="RUNNING")
                child.ended = False
            if not child.ended:
                ending = record.exists()  # asked first: the history is whole by then
                send_history(self.client, child, config.parent / "history.jsonl")
                if ending:
                    end(self.client, child, read(record)[0])

    def _child(self, folder: Path) -> Child:
        """Return the run of a folder and its configuration; begin it where it is new."""
        text = (folder / "config.json").read_text()
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        place = f"{folder.parent.name}/{folder.name}"
        key = place, digest
        if key not in self.children:
            tags = {
                "mlflow.parentRunId": self.parent,
                "moebench.place": place,
                "moebench.config": digest,
                "arm": folder.parent.name,
                "seed": folder.name.removeprefix("seed_"),
                "profile": self.folder.name,
                "target": self.folder.parent.name,
            }
            run_id = self._create(place.replace("/", " "), tags)
            self.children[key] = Child(run_id, dict.fromkeys(SERIES, -1))
            log_parameters(self.client, run_id, json.loads(text))
        return self.children[key]

    def _close(self, partners: Mapping[str, Partner], files: Iterable[Path]) -> None:
        runs = {place: child.run_id for (place, _), child in self.children.items()}
        for (place, _), child in self.children.items():
            arm, _, seed = place.partition("/")
            partner = partners.get(arm)
            other = runs.get(f"{partner.arm}/{seed}") if partner else None
            if partner is not None and other not in (None, child.run_id):
                self.client.set_tag(child.run_id, "moebench.dense_baseline", other)
                self.client.set_tag(child.run_id, "matched_on", partner.matched_on)
            if not child.ended:
                self.client.set_terminated(child.run_id, "KILLED")
        for path in files:
            if path.exists():
                self.client.log_artifact(self.parent, str(path))
        self.client.set_terminated(self.parent, "FINISHED")


def send(root: Path) -> int:
    """Send every run under the folder of all runs that MLflow lacks; return how many it has now.

    Raises:
        ConnectionError: as `connect`, or if the server stops answering on the way.
    """
    known = 0
    for results in sorted(root.glob("*/*/results.jsonl")):
        tracker = connect(root)
        tracker.open(results.parent, {})
        tracker.close({}, [results, results.with_name("report.html")])
        if tracker.lost:
            raise ConnectionError(f"MLflow at {tracker.uri} stopped answering")
        known += len(tracker.children)
    return known
