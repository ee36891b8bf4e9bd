"""The tracker of a running reproduction: it keeps MLflow up to date and absorbs its failures."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from moebench.tracking.reproduction import Partner, Reproduction
from moebench.tracking.server import default_uri, open_store, reason, shown
from moebench.tracking.store import Store

log = logging.getLogger(__name__)

SECONDS = 5.0  # between two looks at the files
REST_SECONDS = 60.0  # after a failure
BUDGET_SECONDS = 2.0  # for one update: the caller has to start the next workers, too


def connect(root: Path) -> "Tracker":
    """Return the tracker of a folder of all runs; database and experiment are made if missing.

    Raises:
        ConnectionError: if MLflow does not answer; names the URI and what to do.
    """
    return Tracker(open_store(root), shown(default_uri(root)))


class Tracker:
    """Sends a folder of runs while it grows; failures of MLflow lead to a single warning.

    Args:
        store: where it is sent.
        uri: of the store, for the warning.
        seconds: between two looks at the files.
    """

    def __init__(self, store: Store, uri: str, seconds: float = SECONDS) -> None:
        self.store = store
        self.uri = uri
        self.seconds = seconds
        self.due = 0.0  # when to look next, on the monotonic clock
        self.warned = False
        self.begin: Callable[[], Reproduction] | None = None
        self.reproduction: Reproduction | None = None

    def open(self, folder: Path, tags: Mapping[str, str]) -> None:
        """Continue the parent run of a folder, or begin it.

        Args:
            folder: `<root>/<target>/<profile>`; this process has locked it.
            tags: of the parent, beside target and profile.
        """
        self.reproduction = None
        self.begin = lambda: Reproduction(self.store, folder, tags)
        self._attempt(lambda _: None)

    def poll(self) -> None:
        """Send what is new, if it is due; may be called as often as you like."""
        if time.monotonic() >= self.due:
            self._attempt(lambda reproduction: reproduction.update(BUDGET_SECONDS))

    def close(
        self, partners: Mapping[str, Partner], files: Iterable[Path], status: str = "FINISHED"
    ) -> None:
        """Send the rest, link every run to its dense baseline, and end the parent.

        Args:
            partners: arm -> the dense arm it is compared with.
            files: artifacts of the parent; those that exist are copied.
            status: of the parent: FINISHED, FAILED, or KILLED for an interrupted one.
        """
        self._attempt(lambda reproduction: reproduction.close(partners, files, status))
        self.begin = self.reproduction = None

    def _attempt(self, action: Callable[[Reproduction], None]) -> None:
        """Do something with MLflow; after a failure wait a while, for the files are still there."""
        if self.begin is None:
            return
        try:
            self.reproduction = self.reproduction or self.begin()
            action(self.reproduction)
            self.due = time.monotonic() + self.seconds
        except Exception as error:  # MLflow raises whatever its database or network does
            self.due = time.monotonic() + REST_SECONDS
            if not self.warned:
                log.warning(
                    "MLflow at %s stopped answering (%s); the files of the runs have everything, "
                    "and `moebench track` sends what is missing",
                    self.uri,
                    reason(error),
                )
            self.warned = True
