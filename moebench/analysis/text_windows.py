"""Windows of any text in a model's own tokens, encoded once into a temporary folder.

Memory does not grow with the text: documents are encoded one by one onto the disk, and windows are
read from there in a random order, so that every batch has some of each domain.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from moebench.analysis.token_table import TokenCounts, count_tokens
from moebench.data.corpus import Windows
from moebench.data.published import Codec
from moebench.data.sources.source import Document

_TYPE = np.uint32
_AT_ONCE = 2**22  # ids counted at once


class TextWindows:
    """Windows of a text in random order.

    Args:
        path: file of the ids of all domains, one domain after the other.
        sizes: tokens of each domain, by its name.
        width: tokens in a window.
        most: most windows to read; domains contribute in proportion to their length.

    Raises:
        ValueError: if the text does not fill one window.
    """

    def __init__(self, path: Path, sizes: dict[str, int], width: int, most: int) -> None:
        if not any(size >= width for size in sizes.values()):
            longest = max(sizes.values(), default=0)
            raise ValueError(
                f"length={width - 1}: needs {width} tokens, and the longest domain of the text has "
                f"{longest}; give a smaller length, or more text"
            )
        self.names = tuple(sizes)
        self.too_short = tuple(name for name, size in sizes.items() if size < width)
        tokens = np.memmap(path, dtype=_TYPE, mode="r")
        self._windows = Windows(tokens, list(sizes.values()), width)
        order = np.random.default_rng(0).permutation(len(self._windows))
        self._order = order[:most]

    def __len__(self) -> int:
        return len(self._order)

    @property
    def domain_S(self) -> Tensor:
        """Number of each window's domain, in the order of reading."""
        return torch.from_numpy(self._windows.domain_W[self._order])

    def batches(self, size: int) -> Iterator[Tensor]:
        """Yield batches of ids, int64, with `size` windows each."""
        for start in range(0, len(self), size):
            yield torch.from_numpy(self._windows.read(self._order[start : start + size])[0])

    def token_counts(self, vocabulary: int) -> TokenCounts:
        """Return the token counts of all windows.

        Raises:
            ValueError: if an id lies outside the vocabulary.
        """
        size = max(1, _AT_ONCE // self._windows.width)
        batches = zip(self.batches(size), self.domain_S.split(size), strict=True)
        return count_tokens(batches, vocabulary, len(self.names))


def encode(
    documents: Iterable[Document],
    codec: Codec,
    beginning: Sequence[int],
    most: int,
    folder: Path,
) -> tuple[Path, dict[str, int]]:
    """Write the ids of documents; return the file and the number of tokens of each domain.

    Args:
        documents: documents of any number of domains.
        codec: text to ids.
        beginning: ids to put before every document.
        most: tokens to read of each domain, up to the end of a document.
        folder: where to write.
    """
    sizes: dict[str, int] = {}
    for document in tqdm(documents, desc="encoding", unit="document", disable=None):
        if sizes.setdefault(document.domain, 0) >= most:
            continue
        [ids] = codec.encode([document.text])
        # One file per domain, since a source may switch between domains.
        with (folder / f"{list(sizes).index(document.domain)}.part").open("ab") as file:
            np.array([*beginning, *ids], dtype=_TYPE).tofile(file)
        sizes[document.domain] += len(beginning) + len(ids)
    path = folder / "tokens.bin"
    with path.open("wb") as whole:
        for number in range(len(sizes)):
            part = folder / f"{number}.part"
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)
            part.unlink()
    return path, sizes
