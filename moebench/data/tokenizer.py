"""Byte-level byte-pair encoding with room for the special tokens of every objective.

Source: Sennrich et al. 2016, Neural machine translation of rare words with subword units
(arXiv 1508.07909), section 3.2; on bytes as in Radford et al. 2019 (GPT-2), section 2.2.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

PAD = 0  # also the decoder's first input in span corruption
EOS = 1  # ends each document, and each side of span corruption
SENTINEL = 2  # the first sentinel; the others follow
NUM_SENTINELS = 32  # spans a window may have: enough for T5's 28 in 512 tokens
FIRST_TEXT = SENTINEL + NUM_SENTINELS  # ids from here on are bytes and merges
SMALLEST_VOCABULARY = FIRST_TEXT + 256
LARGEST_VOCABULARY = 2**32  # ids are kept in four bytes

_AT_ONCE = 256  # documents per call of the encoder


class Tokenizer:
    """Text to ids and back; no text, whatever it contains, is encoded as a special id.

    Args:
        encoding: a trained byte-level encoding whose ids start at 0; here they start at
            `FIRST_TEXT`.
    """

    def __init__(self, encoding: Any) -> None:
        self._encoding = encoding

    @classmethod
    def train(cls, texts: Iterable[str], vocabulary: int) -> "Tokenizer":
        """Train an encoding with at most `vocabulary` ids, special ones included.

        A small text may yield fewer; the other ids then never occur.

        Raises:
            ValueError: if the bytes and special tokens alone need more ids.
        """
        check_vocabulary(vocabulary)
        encoding = tokenizers.Tokenizer(models.BPE())
        encoding.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        encoding.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary - FIRST_TEXT,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        encoding.train_from_iterator(texts, trainer)
        return cls(encoding)

    @classmethod
    def load(cls, path: Path) -> "Tokenizer":
        """Load an encoding that `save` wrote."""
        return cls(tokenizers.Tokenizer.from_file(str(path)))

    def save(self, path: Path) -> None:
        """Write the encoding as JSON."""
        self._encoding.save(str(path))

    def encode(self, texts: Iterable[str]) -> Iterator[list[int]]:
        """Yield the ids of each text."""
        remaining = iter(texts)
        while some := list(islice(remaining, _AT_ONCE)):
            for encoded in self._encoding.encode_batch_fast(some, add_special_tokens=False):
                yield [token + FIRST_TEXT for token in encoded.ids]

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, skipping special ones."""
        return str(
            self._encoding.decode([token - FIRST_TEXT for token in ids if token >= FIRST_TEXT])
        )


def check_vocabulary(vocabulary: int) -> None:
    """Refuse a vocabulary that cannot hold all bytes and special tokens, or has too many ids.

    Raises:
        ValueError: naming the smallest size that can, or the largest of which ids have four bytes.
    """
    if vocabulary < SMALLEST_VOCABULARY:
        raise ValueError(
            f"data.vocabulary={vocabulary}: must be at least {SMALLEST_VOCABULARY} "
            f"(256 bytes and {FIRST_TEXT} special tokens)"
        )
    if vocabulary > LARGEST_VOCABULARY:
        raise ValueError(f"data.vocabulary={vocabulary}: must be at most {LARGEST_VOCABULARY}")
