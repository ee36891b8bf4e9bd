"""The tokenizer of a published checkpoint, read from its `tokenizer.json`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import tokenizers

_AT_ONCE = 256  # texts handed to the encoder together
FILE = "tokenizer.json"


class Codec(Protocol):
    """Text to ids and back."""

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the ids of one text after the other, nothing added."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of some ids, special ones left out."""
        ...


class PublishedTokenizer:
    """Text to ids and back as the checkpoint's own model learnt it.

    Args:
        folder: of the checkpoint.

    Raises:
        FileNotFoundError: if it has no tokenizer.
        ValueError: if that cannot be read.
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
        """Ids that stand before every text, such as the one for its beginning; often none."""
        ids: list[int] = self._encoding.encode("").ids
        return ids

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the ids of one text after the other, nothing added."""
        remaining = iter(texts)
        while some := list(islice(remaining, _AT_ONCE)):
            for encoded in self._encoding.encode_batch_fast(some, add_special_tokens=False):
                yield encoded.ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of some ids, special ones left out."""
        return str(self._encoding.decode(list(ids), skip_special_tokens=True))
