"""Text whose training batches are of one domain each.

Source: the micro-batches of Qiu et al. 2025, Demons in the detail (arXiv 2501.11873), section 3,
which come from one domain.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from moebench.data import corpus
from moebench.data.batches import TrainBatches
from moebench.data.corpus import Windows
from moebench.data.text import Text


class PureText(Text):
    """`Text` with training batches of one domain each; validation is that of `Text`.

    A batch draws its windows from the whole of its domain; which windows share one is the same for
    every seed, their order is not. Takes what `Text` takes.
    """

    version = 1  # raise it when the same arguments would give other batches

    def train_dataloader(self) -> TrainBatches:
        """Return the training batches, which can resume at any of them."""
        windows = corpus.windows(self._folder, "train", self._width)
        blocks = OneDomain(windows, self.batch_size)
        # Of windows, batches ask for no more than a length and `read`.
        return TrainBatches(cast("Windows", blocks), self.objective, 1, self.seed)


class OneDomain:
    """Blocks of windows of one domain, each read as if it were a single window.

    Args:
        windows: the windows.
        size: windows in a block; the few that fill none are left out.

    Raises:
        ValueError: if no domain has enough windows for a block.
    """

    def __init__(self, windows: Windows, size: int) -> None:
        self._windows = windows
        rng = np.random.default_rng(0)
        shuffled = [
            rng.permutation(np.flatnonzero(windows.domain_W == domain))
            for domain in np.unique(windows.domain_W)
        ]
        whole = [one[: len(one) // size * size].reshape(-1, size) for one in shuffled]
        self._window_NB = np.concatenate(whole)
        if not len(self._window_NB):
            raise ValueError(f"data.batch_size={size}: no domain has as many windows")

    def __len__(self) -> int:
        return len(self._window_NB)

    def read(self, window_B: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the tokens of all windows of some blocks, one a row, and their domains."""
        return self._windows.read(self._window_NB[window_B].ravel())
