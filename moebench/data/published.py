"""The tokenizer of a published checkpoint, read from its `tokenizer.json`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import tokenizers

_AT_ONCE = 256  # texts per call of the encoder
FILE = "tokenizer.json"


class Codec(Protocol):
    """Text to ids and back."""

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the ids of each text, without special ones."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, skipping special ones."""
        ...


class PublishedTokenizer:
    """Text to ids and back, by a checkpoint's own tokenizer.

    Args:
        folder: the folder of the checkpoint.

    Raises:
        FileNotFoundError: if it has no tokenizer.
        ValueError: if the tokenizer cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        if not path.is_file():
            raise FileNotFoundError(f"{folder}: no {FILE}, so no text can be read or written")
        try:
            self._encoding: Any = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises nothing narrower
            raise ValueError(f"{path}: {error}") from None

    @property
    def beginning(self) -> list[int]:
        """Ids to put before every text, such as that of its beginning; often none."""
        ids: list[int] = self._encoding.encode("").ids
        return ids

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the ids of each text, without special ones."""
        remaining = iter(texts)
        while some := list(islice(remaining, _AT_ONCE)):
            for encoded in self._encoding.encode_batch_fast(some, add_special_tokens=False):
                yield encoded.ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, skipping special ones."""
        return str(self._encoding.decode(list(ids), skip_special_tokens=True))
