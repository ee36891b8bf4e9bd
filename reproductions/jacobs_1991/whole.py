"""Full-batch learning: a loader whose only batch is the whole set."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any

from moebench.data.endless import ENDLESS


class Whole:
    """Yields one batch, once or without end.

    Args:
        batch: the whole set.
        endless: whether to repeat it forever, so that a training epoch need not end.
    """

    def __init__(self, batch: Any, endless: bool) -> None:
        self.batch = batch
        self.endless = endless

    def __len__(self) -> int:
        return ENDLESS if self.endless else 1

    def __iter__(self) -> Iterator[Any]:
        return repeat(self.batch) if self.endless else iter((self.batch,))

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: every batch is the same, so there is no position to save."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Do nothing, for the same reason."""
