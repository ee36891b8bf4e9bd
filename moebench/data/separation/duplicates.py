"""Clusters of near-duplicate texts, by MinHash.

Two texts are near-duplicates if the Jaccard similarity of their phrases is at least one half.
Phrases have five words, as in Lee et al. 2022 (arXiv 2107.06499), section 4.2; case and Unicode
form do not matter. A text similar to any text of a cluster belongs to it, so that a chain of
variants is one cluster.
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datasketch import LeanMinHash

# datasketch is imported where it is used, so that only building a corpus waits for it.

PHRASE = 5  # words
SIMILAR = 0.5  # share of phrases
_BANDS, _ROWS = 32, 4  # finds 87% of the pairs that share half, 99% of those that share 0.6
_SAME = 0.9
_WORD = re.compile(r"[\u3040-\u9fff]|[^\W\u3040-\u9fff]+")  # Chinese and Japanese have no spaces
_ODD = np.uint64(0x9E3779B97F4A7C15)


def words(text: str) -> int:
    """Return how many words a text has."""
    return sum(1 for _ in _WORD.finditer(text))


def sketches(texts: Iterable[str]) -> Iterator["LeanMinHash"]:
    """Yield the MinHash of the phrases of each text."""
    from datasketch import LeanMinHash, MinHash

    empty = MinHash(num_perm=_BANDS * _ROWS, hashfunc=int)
    for text in texts:
        sketch = MinHash(
            hashfunc=int,
            hashvalues=empty.hashvalues,
            permutations=empty.permutations,
            scheme=empty.scheme,
        )
        sketch.update_batch(_phrases(text))
        yield LeanMinHash(sketch)  # a quarter of the memory


def first_of_cluster(found: Sequence["LeanMinHash"]) -> list[int]:
    """Return for each text the number of the first text of its cluster, possibly its own."""
    from datasketch import MinHashLSH

    index = MinHashLSH(num_perm=_BANDS * _ROWS, params=(_BANDS, _ROWS))
    first = list(range(len(found)))

    def root(number: int) -> int:
        while first[number] != number:
            number = first[number]
        return number

    for number, sketch in enumerate(found):
        nearest = 0.0
        for other in index.query(sketch):
            similarity = sketch.jaccard(found[other])
            nearest = max(nearest, similarity)
            if similarity >= SIMILAR:
                low, high = sorted((root(number), root(other)))
                first[high] = low
        if nearest < _SAME:  # one of a thousand copies stands for all, which keeps queries short
            index.insert(number, sketch)
    return [root(number) for number in range(len(found))]


def _phrases(text: str) -> list[int]:
    """Return a 32-bit hash of every phrase; of the whole text if it is shorter than one."""
    text = unicodedata.normalize("NFKC", text).casefold()
    found = [zlib.crc32(word.encode()) for word in _WORD.findall(text)]
    if len(found) < PHRASE:
        return [zlib.crc32(text.strip().encode())]
    word_W = np.array(found, dtype=np.uint64)
    count = len(word_W) - PHRASE + 1
    phrase_P = word_W[:count]
    for place in range(1, PHRASE):
        phrase_P = phrase_P * _ODD + word_W[place : place + count]
        phrase_P ^= phrase_P >> np.uint64(29)
    hashes: list[int] = np.unique(phrase_P >> np.uint64(32)).tolist()
    return hashes
