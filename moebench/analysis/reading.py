"""Any source of text as windows of a model's own tokens, encoded once into a folder for the time.

Memory does not grow with the text: documents are encoded one after the other onto the disk, and
windows are read from there in a random order, so that every batch has some of each domain.
"""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from moebench.analysis.token_table import Words, words
from moebench.data.corpus import Windows
from moebench.data.published import Codec
from moebench.data.sources.source import Document

_TYPE = np.uint32
_AT_ONCE = 2**22  # ids counted together


class Reading:
    """Windows of a text in random order.

    Args:
        path: file of the ids of all domains, one domain after the other.
        sizes: tokens of each domain, by its name.
        width: tokens in a window.
        most: windows to read at most; all domains give in proportion to their length.

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
        """Yield the ids of so many windows at a time, int64."""
        for start in range(0, len(self), size):
            yield torch.from_numpy(self._windows.read(self._order[start : start + size])[0])

    def words(self, vocabulary: int) -> Words:
        """Return the tokens of what is read.

        Raises:
            ValueError: if an id lies outside the vocabulary.
        """
        size = max(1, _AT_ONCE // self._windows.width)
        batches = zip(self.batches(size), self.domain_S.split(size), strict=True)
        return words(batches, vocabulary, len(self.names))


def encode(
    documents: Iterable[Document],
    codec: Codec,
    beginning: Sequence[int],
    most: int,
    folder: Path,
) -> tuple[Path, dict[str, int]]:
    """Write the ids of some documents; return the file and the tokens of each domain.

    Args:
        documents: of any number of domains.
        codec: text to ids.
        beginning: ids that stand before every document.
        most: tokens of each domain, give or take a document; the rest of it is not read.
        folder: where to write.
    """
    sizes: dict[str, int] = {}
    for document in tqdm(documents, desc="encoding", unit="document", disable=None):
        if sizes.setdefault(document.domain, 0) >= most:
            continue
        [ids] = codec.encode([document.text])
        # One file a domain, since a source may go from one to the other and back.
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
