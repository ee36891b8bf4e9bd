"""Texts for tests: sentences of words of their own, and a source of two domains."""

import random
from collections.abc import Iterator, Mapping

import torch

from moebench.data.contract import TextBatch
from moebench.data.objectives import NextToken, Objective
from moebench.data.sources import Document, Source
from moebench.data.text import Text


class Counting:
    """A custom source: two domains of sentences about numbers."""

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.checked: list[Mapping[str, str]] = []

    def fingerprint(self) -> str:
        return f"counting from {self.first}"

    def documents(self) -> Iterator[Document]:
        for domain, thing in (("farm", "sheep"), ("city", "windows")):
            for number in range(self.first, self.first + 150):
                text = f"{number} {thing}, and then {number + 1} {thing}."
                yield Document(str(number), domain, "train" if number % 4 else "valid", text)

    def check(self, digests: Mapping[str, str]) -> None:
        self.checked.append(digests)


def prepared(
    objective: Objective | None = None, source: Source | None = None, **sizes: int
) -> Text:
    small = {"vocabulary": 320, "length": 16, "batch_size": 4, "valid_batches": 3}
    text = Text(source or Counting(), objective or NextToken(), **(small | sizes))
    text.prepare_data()
    text.setup()
    return text


def same(left: TextBatch, right: TextBatch) -> bool:
    pairs = zip(left, right, strict=True)
    return all(a is b if a is None or b is None else torch.equal(a, b) for a, b in pairs)


def sentences(seed: int, count: int = 8) -> list[str]:
    """Sentences of their own words, so that no two seeds share a phrase."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("aeioubdgklmnprst", k=7)) for _ in range(count * 9)]
    return [" ".join(words[9 * n : 9 * n + 9]) + "." for n in range(count)]


def text(seed: int, count: int = 8) -> str:
    return "\n".join(sentences(seed, count)) + "\n"


def document(name: object, content: str, domain: str = "a", split: str | None = None) -> Document:
    return Document(str(name), domain, split, content)  # type: ignore[arg-type]


def distinct(count: int, domain: str = "a") -> list[Document]:
    return [document(n, text(n), domain) for n in range(count)]
