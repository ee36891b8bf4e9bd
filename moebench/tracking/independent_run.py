"""A run in MLflow that belongs to no reproduction: it has no parent, and others run beside it."""

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from moebench.tracking.children import Archive, Children, Partner
from moebench.tracking.store import Store


class IndependentRun:
    """A run that this process drives, in a folder whose other runs are nobody's or another's.

    Args:
        store: where it is sent.
        run: `<root>/<target>/<profile>/<arm>/seed_<n>`; this process has locked it.
    """

    def __init__(self, store: Store, run: Path) -> None:
        folder = run.parents[1]
        self.which = {"arm": run.parent.name, "seed": run.name.removeprefix("seed_")}
        self.archive = Archive(store, folder, **self.which)
        self.children = Children(store, folder, self.archive, "", **self.which)

    def update(self, seconds: float = math.inf) -> None:
        """Send what is new, for so many seconds."""
        self.children.update(seconds)

    def close(
        self, partners: Mapping[str, Partner], files: Iterable[Path], status: str = "FINISHED"
    ) -> None:
        """Send the rest; the run has ended as its record says, and is KILLED without one."""
        self.children.close(partners)
