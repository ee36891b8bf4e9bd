"""Full-batch learning: a loader whose every batch is the whole set."""

from collections.abc import Iterator
from itertools import repeat
from typing import Any


class Whole:
    """Yields one batch, over and over or once.

    Args:
        batch: the whole set.
        endless: whether to go on for ever, so that an epoch of training need not end.
    """

    def __init__(self, batch: Any, endless: bool) -> None:
        self.batch = batch
        self.endless = endless

    def __iter__(self) -> Iterator[Any]:
        return repeat(self.batch) if self.endless else iter((self.batch,))
