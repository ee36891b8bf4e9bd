"""Text whose training batches consist of blocks of one domain each.

Source: Qiu et al. 2025, Demons in the detail (arXiv 2501.11873), section 3: micro-batches of a few
sequences, modelled here as blocks that have one domain in common.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from moebench.data import corpus
from moebench.data.batches import TrainBatches
from moebench.data.corpus import Windows
from moebench.data.text import Text

BLOCK = 8  # windows


class PureText(Text):
    """`Text` with training batches of whole blocks; validation is that of `Text`.

    A block draws its windows from the whole of its domain. Domains take turns, as often as they
    have blocks, so that a batch has several of them. Which windows share a batch is the same for
    every seed, the order of batches is not. Takes what `Text` takes.
    """

    version = 2  # raise it when the same arguments would give other batches

    def train_dataloader(self) -> TrainBatches:
        """Return the training batches, which can resume at any of them."""
        windows = corpus.windows(self._folder, "train", self._width)
        batches = PureBlocks(windows, self.batch_size)
        # Of windows, batches ask for no more than a length and `read`.
        return TrainBatches(cast("Windows", batches), self.objective, 1, self.seed)


class PureBlocks:
    """Batches of blocks of windows, each read as if it were a single window.

    Args:
        windows: the windows.
        size: windows in a batch; the few that fill no block, or no batch, are left out.

    Raises:
        ValueError: if a batch is no whole blocks, or there are too few blocks for one.
    """

    def __init__(self, windows: Windows, size: int) -> None:
        if size % BLOCK:
            raise ValueError(f"data.batch_size={size}: must be a multiple of {BLOCK}")
        self._windows = windows
        rng = np.random.default_rng(0)
        blocks, places = [], []
        for domain in np.unique(windows.domain_W):
            window_X = rng.permutation(np.flatnonzero(windows.domain_W == domain))
            of_domain = window_X[: len(window_X) // BLOCK * BLOCK].reshape(-1, BLOCK)
            blocks.append(of_domain)
            places.append((np.arange(len(of_domain)) + 0.5) / max(1, len(of_domain)))
        window_X = np.concatenate(blocks)[np.concatenate(places).argsort(kind="stable")].ravel()
        self._window_NB = window_X[: len(window_X) // size * size].reshape(-1, size)
        if not len(self._window_NB):
            raise ValueError(f"data.batch_size={size}: too few windows for blocks of one domain")

    def __len__(self) -> int:
        return len(self._window_NB)

    def read(self, window_B: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the tokens of all windows of some batches, one a row, and their domains."""
        return self._windows.read(self._window_NB[window_B].ravel())
