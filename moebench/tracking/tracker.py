"""The tracker of a running reproduction: it keeps MLflow up to date and absorbs its failures."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from moebench.tracking.children import Partner
from moebench.tracking.independent_run import IndependentRun
from moebench.tracking.reproduction import Reproduction
from moebench.tracking.server import default_uri, open_store, probe, reason, shown, sqlite_path
from moebench.tracking.store import Store

log = logging.getLogger(__name__)

SECONDS = 5.0  # between two looks at the files
REST_SECONDS = 60.0  # after a failure
BUDGET_SECONDS = 2.0  # for one update: the caller has to start the next workers, too

Sender = Reproduction | IndependentRun


def connect(root: Path) -> "Tracker":
    """Return the tracker of a folder of all runs; database and experiment are made if missing.

    MLflow is imported once runs are going, for it takes seconds. A file can be examined without;
    of a server only MLflow knows whether it answers.

    Raises:
        ConnectionError: if MLflow cannot keep anything there; names the URI and what to do.
    """
    uri = default_uri(root)
    probe(root)
    tracker = Tracker(lambda: open_store(root), shown(uri))
    if sqlite_path(uri) is None:
        _ = tracker.store
    return tracker


class Tracker:
    """Sends a folder of runs while it grows; failures of MLflow lead to a single warning.

    Args:
        opened: returns where it is sent; called in a thread, at the first look at the files.
        uri: of the store, for the warning.
        seconds: between two looks at the files.
    """

    def __init__(self, opened: Callable[[], Store], uri: str, seconds: float = SECONDS) -> None:
        self.uri = uri
        self.seconds = seconds
        self.due = 0.0  # when to look next, on the monotonic clock
        self.warned = False
        self.begin: Callable[[], Sender] | None = None
        self.sender: Sender | None = None
        self._opened = opened
        self._opening: Future[Store] | None = None

    @property
    def store(self) -> Store:
        """Where it is sent; waits until it is open.

        Raises:
            ConnectionError: if it cannot be opened; the next time it is tried again.
        """
        try:
            return self._start_opening().result()
        except Exception:
            self._opening = None
            raise

    def _start_opening(self) -> "Future[Store]":
        if self._opening is None:
            self._opening = ThreadPoolExecutor(1, "mlflow").submit(self._opened)
        return self._opening

    def open(self, folder: Path, tags: Mapping[str, str]) -> None:
        """Say which folder is sent; its parent run is continued or begun once MLflow is open.

        Args:
            folder: `<root>/<target>/<profile>`; this process has locked it.
            tags: of the parent, beside target and profile.
        """
        self._take(lambda: Reproduction(self.store, folder, tags))

    def open_run(self, run: Path) -> None:
        """Say which run is sent, one that belongs to no reproduction.

        Args:
            run: `<root>/<target>/<profile>/<arm>/seed_<n>`; this process has locked it.
        """
        self._take(lambda: IndependentRun(self.store, run))

    def _take(self, begin: Callable[[], Sender]) -> None:
        self.sender = None
        self.begin = begin
        if self._opening is not None:
            self._attempt(lambda _: None)

    def poll(self) -> None:
        """Send what is new, if it is due; may be called as often as you like.

        No free worker waits until MLflow is imported and its database made.
        """
        if time.monotonic() >= self.due and self._start_opening().done():
            self._attempt(lambda sender: sender.update(BUDGET_SECONDS))

    def close(
        self, partners: Mapping[str, Partner], files: Iterable[Path], status: str = "FINISHED"
    ) -> None:
        """Send the rest, link every run to its dense baseline, and end the parent.

        Args:
            partners: arm -> the dense arm it is compared with.
            files: artifacts of the parent; those that exist are copied.
            status: of the parent: FINISHED, FAILED, or KILLED for an interrupted one.
        """
        self._attempt(lambda sender: sender.close(partners, files, status))
        self.begin = self.sender = None

    def _attempt(self, action: Callable[[Sender], None]) -> None:
        """Do something with MLflow; after a failure wait a while, for the files are still there."""
        if self.begin is None:
            return
        try:
            self.sender = self.sender or self.begin()
            action(self.sender)
            self.due = time.monotonic() + self.seconds
        except Exception as error:  # MLflow raises whatever its database or network does
            self.due = time.monotonic() + REST_SECONDS
            if not self.warned:
                log.warning(
                    "MLflow at %s stopped answering (%s); the files of the runs have everything, "
                    "and `moebench track` sends what is missing",
                    self.uri,
                    reason(_behind(error)),
                )
            self.warned = True


def _behind(error: Exception) -> Exception:
    """Return what MLflow raised, without the words of this package about where it is."""
    cause = error.__cause__
    return cause if isinstance(error, ConnectionError) and isinstance(cause, Exception) else error
