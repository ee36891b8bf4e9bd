"""Token files: text encoded once, written whole or not at all, read through memory maps.

A folder holds `train.bin` and `valid.bin` (the domains one after the other, each document ended
by EOS), `tokenizer.json` and `corpus.json`. It gets its final name in one step: a process killed
midway leaves nothing that is read later, and if two processes build the same corpus, the second
uses that of the first.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from moebench.data.overlap import Overlap, overlap
from moebench.data.separation import Counts, Separated, separate
from moebench.data.sources.source import Document, Source, Split, digest_by_domain, digest_of
from moebench.data.tokenizer import EOS, Tokenizer
from moebench.data.unfinished import unfinished
from moebench.evidence.record_files import json_of

FORMAT = "4"  # raise it when the same text would give other files
_SAMPLE_CHARACTERS = 2_000_000  # of each domain, to train the tokenizer on


@dataclass(frozen=True)
class Corpus:
    """The description of a complete folder of token files."""

    content_hash: str  # of the texts, the vocabulary and the tokens
    vocabulary: int
    digests: dict[str, str]  # of each domain's documents; its keys are the domains in order
    tokens: dict[Split, list[int]]  # number in each domain, EOS included
    overlap: Overlap  # of validation text with training text
    counts: Counts  # what was left out to keep them apart


class Windows:
    """Windows of one split that do not overlap, each within one domain; remainders are unused.

    Args:
        tokens: the ids of all domains, one domain after the other.
        sizes: tokens of each domain.
        width: tokens in a window.
    """

    def __init__(self, tokens: NDArray[np.unsignedinteger], sizes: list[int], width: int) -> None:
        counts = [size // width for size in sizes]
        ends = np.cumsum([0, *sizes])
        parts = [end + width * np.arange(n) for end, n in zip(ends, counts, strict=False)]
        self._tokens = tokens
        self._start_W = np.concatenate(parts)
        self.domain_W = np.repeat(np.arange(len(sizes)), counts)
        self.width = width

    def __len__(self) -> int:
        return len(self._start_W)

    def read(self, window_B: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the tokens of some windows, one per row, and the number of each one's domain."""
        place = self._start_W[window_B, None] + np.arange(self.width)
        return self._tokens[place].astype(np.int64), self.domain_W[window_B]


def folder_of(source: Source, vocabulary: int) -> Path:
    """Return the folder in the cache for the corpus of a source, which may not exist yet."""
    return cache() / digest_of([FORMAT, source.fingerprint(), str(vocabulary)])[:16]


def cache() -> Path:
    """Return the folder of all corpora.

    It is under `runs/cache`, or under the folder in the environment variable `MOEBENCH_CACHE`.
    """
    return Path(os.environ.get("MOEBENCH_CACHE") or "runs/cache") / "text"


def build(source: Source, vocabulary: int, folder: Path) -> None:
    """Encode a source into a folder, unless the folder exists.

    Of several processes of a machine that want it at once, one does it and the others wait.

    Raises:
        ValueError: if the source is refused, or has changed by the time it has been read.
    """
    if folder.exists():
        return
    with unfinished(folder) as made:
        if not folder.exists():
            _build(source, vocabulary, made, folder)


def _build(source: Source, vocabulary: int, made: Path, folder: Path) -> None:
    try:
        documents = tqdm(source.documents(), desc="reading text", unit="document", disable=None)
        _write(separate(documents), vocabulary, made)
        if folder_of(source, vocabulary) != folder:
            raise ValueError("data.source: changed while it was read; run the command again")
        made.rename(folder)
    except OSError:
        if not folder.exists():  # otherwise an archive was faster, with the same result
            raise


def load(folder: Path) -> Corpus:
    """Read the description of a corpus from its folder."""
    values = json_of(folder / "corpus.json")
    parts = {"overlap": Overlap(**values["overlap"]), "counts": Counts(**values["counts"])}
    return Corpus(**{**values, **parts})


def windows(folder: Path, split: Split, width: int) -> Windows:
    """Map the tokens of a split into memory, cut into windows."""
    corpus = load(folder)
    tokens = np.memmap(folder / f"{split}.bin", dtype=_dtype(corpus.vocabulary), mode="r")
    return Windows(tokens, corpus.tokens[split], width)


def content_hash(folder: Path, vocabulary: int, digests: dict[str, str]) -> str:
    """Return the hash of the texts, the vocabulary and the token files in a folder."""
    hashes = [*digests, *digests.values(), str(vocabulary)]
    for split in ("train", "valid"):
        with (folder / f"{split}.bin").open("rb") as file:
            hashes.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digest_of(hashes)


def _write(separated: Separated, vocabulary: int, folder: Path) -> None:
    documents = separated.documents
    digests = digest_by_domain(documents)
    tokens: dict[Split, list[int]] = {"train": [], "valid": []}
    tokenizer = Tokenizer.train(_sample(documents), vocabulary)
    tokenizer.save(folder / "tokenizer.json")
    with tqdm(total=len(documents), desc="encoding", unit="document", disable=None) as progress:
        for split, sizes in tokens.items():
            path = folder / f"{split}.bin"
            with path.open("wb") as file:
                for domain in digests:
                    texts = [d.text for d in documents if (d.split, d.domain) == (split, domain)]
                    encoded = tokenizer.encode(texts)
                    sizes.append(sum(_append(file, ids, vocabulary, progress) for ids in encoded))
    train, valid = (
        np.memmap(folder / f"{split}.bin", dtype=_dtype(vocabulary), mode="r") for split in tokens
    )
    shared = overlap(train, valid, tokens["valid"])
    content = content_hash(folder, vocabulary, digests)
    corpus = Corpus(content, vocabulary, digests, tokens, shared, separated.counts)
    (folder / "corpus.json").write_text(json.dumps(asdict(corpus), indent=2), encoding="utf-8")


def _append(file: BinaryIO, ids: list[int], vocabulary: int, progress: "tqdm[NoReturn]") -> int:
    """Write the ids of one document and EOS; return their number."""
    np.array([*ids, EOS], dtype=_dtype(vocabulary)).tofile(file)
    progress.update()
    return len(ids) + 1


def _sample(documents: list[Document]) -> Iterator[str]:
    """Yield training texts, those of each domain up to its share of the sample."""
    given: Counter[str] = Counter()
    for document in documents:
        if document.split == "train" and given[document.domain] < _SAMPLE_CHARACTERS:
            given[document.domain] += len(document.text)
            yield document.text


def _dtype(vocabulary: int) -> type[np.unsignedinteger]:
    return np.uint16 if vocabulary <= 2**16 else np.uint32
