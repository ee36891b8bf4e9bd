"""The order of batches, which depends on the seed and the batch's number alone."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from moebench.data.contract import TextBatch
from moebench.data.corpus import Windows
from moebench.data.objectives import Objective

# First words of the seeds, so that order, training noise and validation noise never coincide.
_ORDER, _TRAIN_NOISE, _VALID_NOISE = 1, 2, 3


class TrainBatches:
    """An endless series of training batches, in an order drawn anew for each epoch.

    One pass yields `len(self)` batches and starts where the last one stopped, also after
    `load_state_dict`; Lightning saves and restores the state with its checkpoints. The few windows
    that do not fill a batch sit the epoch out.

    Args:
        windows: the windows to shuffle.
        objective: makes a batch of some windows.
        batch_size: windows B in a batch.
        seed: seed of the order and of the objective.

    Raises:
        ValueError: if the windows do not fill one batch.
    """

    def __init__(self, windows: Windows, objective: Objective, batch_size: int, seed: int) -> None:
        if len(windows) < batch_size:
            raise ValueError(
                f"data.batch_size={batch_size}: the training text has only {len(windows)} windows; "
                "lower it or data.length, or add text"
            )
        self._windows = windows
        self._objective = objective
        self._batch_size = batch_size
        self._seed = seed
        self._position = 0
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self._windows) // self._batch_size

    def __iter__(self) -> Iterator[TextBatch]:
        for _ in range(len(self)):
            # Counted before the batch is yielded: a state saved while it is in use is past it.
            self._position += 1
            yield self.batch(self._position - 1)

    def batch(self, number: int) -> TextBatch:
        """Return the batch of that number, counted over all epochs from 0."""
        epoch, place = divmod(number, len(self._windows) // self._batch_size)
        start = place * self._batch_size
        raw_BW, domain_B = self._windows.read(self._permutation(epoch)[start:][: self._batch_size])
        rng = np.random.default_rng([_TRAIN_NOISE, self._seed, number])
        return self._objective(raw_BW, domain_B, rng)

    def state_dict(self) -> dict[str, int]:
        """Return how many batches have been yielded."""
        return {"position": self._position}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Continue after the number of batches in a state."""
        self._position = state_dict["position"]

    def _permutation(self, epoch: int) -> NDArray[np.int64]:
        if self._order[0] != epoch:
            rng = np.random.default_rng([_ORDER, self._seed, epoch])
            self._order = (epoch, rng.permutation(len(self._windows)))
        return self._order[1]


class ValidBatches:
    """The same batches in every pass and for every seed, spread evenly over all windows.

    Each domain is thus represented according to its size, and every batch spans the whole text.

    Args:
        windows: the windows to choose from.
        objective: makes a batch of some windows.
        batch_size: windows B in a batch.
        count: number of batches.

    Raises:
        ValueError: if there are fewer windows than that takes.
    """

    def __init__(self, windows: Windows, objective: Objective, batch_size: int, count: int) -> None:
        if len(windows) < batch_size * count:
            raise ValueError(
                f"data.valid_batches={count}: the validation text has only {len(windows)} windows, "
                f"enough for {len(windows) // batch_size} batches of {batch_size}; "
                "lower one of them or data.length, or add text"
            )
        self._windows = windows
        self._objective = objective
        chosen = np.arange(batch_size * count) * len(windows) // (batch_size * count)
        self._window_NB = chosen.reshape(batch_size, count).T

    def __len__(self) -> int:
        return len(self._window_NB)

    def __iter__(self) -> Iterator[TextBatch]:
        for number, window_B in enumerate(self._window_NB):
            rng = np.random.default_rng([_VALID_NOISE, number])
            yield self._objective(*self._windows.read(window_B), rng)
