"""Turns the documents of a source into training and validation text that share nothing."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from moebench.data.separation.choose import chosen
from moebench.data.separation.duplicates import PHRASE, first_of_cluster, sketches, words
from moebench.data.separation.passages import without_passages
from moebench.data.sources.source import Document

SHARD = 100_000  # training documents that are compared with one another, if the split is given


@dataclass(frozen=True)
class Counts:
    """How much was left out."""

    documents: int  # number of documents of the source
    clusters: int = 0  # of near-duplicates, each of which counts once
    copies: int = 0  # documents left out for that reason
    cut: int = 0  # characters of validation text left out because the training text has them
    valid: int = 0  # characters of validation text before that


@dataclass(frozen=True)
class Separated:
    """Documents that all have a split, in the order of their source."""

    documents: list[Document]
    counts: Counts


def separate(documents: Iterable[Document]) -> Separated:
    """Keep one of each cluster of near-duplicates, and no text in both splits.

    If a source has no split of its own, near-duplicates are found among all documents, whatever
    their domain, and only the first of each cluster is kept; then the split is chosen, and the
    validation text loses the passages that occur in the training text.

    The split of a source is kept, and so is its validation text, to the letter: a training document
    is left out if it is a near-duplicate of a validation document, or of an earlier document in the
    same `SHARD`. Documents of fewer than five words, such as headings, stay.

    Raises:
        ValueError: if a split is empty, a domain has nothing to train or to validate on, or some
            documents have a split and others none.
    """
    found = list(documents)
    given = [document for document in found if document.split]
    if given and len(given) < len(found):
        raise ValueError("data.source: some of its documents have a split and others none")
    separated = _as_given(found) if given else _as_chosen(found)
    for split in ("train", "valid"):
        if not any(document.split == split for document in separated.documents):
            raise ValueError(f"data.source: it has no text for {split}")
    counts = separated.counts
    if counts.copies:
        logging.getLogger(__name__).warning(
            "%d of %d documents are near-duplicates of others, in %d clusters: each cluster counts "
            "once, on one side of the split",
            counts.copies,
            counts.documents,
            counts.clusters,
        )
    return separated


def _as_chosen(documents: list[Document]) -> Separated:
    first = first_of_cluster(list(sketches(document.text for document in documents)))
    distinct = [d for number, d in enumerate(documents) if first[number] == number]
    left_of = _count(distinct)
    for name, count in _count(documents).items():
        if left_of[name] < min(count, 2):
            raise ValueError(
                f"data.source: domain {name!r} has nothing to validate on: all of its text "
                f"({count} documents) counts as one, or as part of another domain; add other texts"
            )
    by_domain: dict[str, list[Document]] = {}
    for document in distinct:
        by_domain.setdefault(document.domain, []).append(document)
    split = [document for ours in by_domain.values() for document in chosen(ours)]
    _check(split, "give it at least two lines of text")
    valid = [document.text for document in split if document.split == "valid"]
    train = [document.text for document in split if document.split == "train"]
    cut = without_passages(valid, train)
    remaining = iter(cut)
    left = [d if d.split == "train" else d._replace(text=next(remaining)) for d in split]
    left = [document for document in left if document.text.strip()]
    _check(left, "all of it occurs in the training text; add other texts")
    before = sum(map(len, valid))
    counts = Counts(
        documents=len(documents),
        clusters=len({root for number, root in enumerate(first) if root != number}),
        copies=len(documents) - len(distinct),
        cut=before - sum(map(len, cut)),
        valid=before,
    )
    return Separated(left, counts)


def _as_given(documents: list[Document]) -> Separated:
    valid = [document for document in documents if document.split == "valid"]
    train = [document for document in documents if document.split == "train"]
    held_out = list(sketches(_compared(valid)))
    kept: list[Document] = []
    clusters = 0
    for begin in range(0, len(train), SHARD):
        shard = train[begin : begin + SHARD]
        first = first_of_cluster([*held_out, *sketches(_compared(shard))])
        numbers = range(len(held_out), len(first))
        kept += [d for number, d in zip(numbers, shard, strict=True) if first[number] == number]
        clusters += len({first[number] for number in numbers if first[number] != number})
    for name in _count(train):
        if name not in _count(kept):
            raise ValueError(
                f"data.source: domain {name!r} has nothing to train on: all of its training "
                "documents are near-duplicates of validation documents"
            )
    return Separated([*kept, *valid], Counts(len(documents), clusters, len(train) - len(kept)))


def _compared(documents: Iterable[Document]) -> Iterator[str]:
    """Yield the text to compare of each document; for a heading, one that no other document has."""
    for number, document in enumerate(documents):
        yield document.text if words(document.text) >= PHRASE else f"{document.split} {number}"


def _count(documents: Iterable[Document]) -> Counter[str]:
    """Return the number of documents of each domain, in order of appearance."""
    return Counter(document.domain for document in documents)


def _check(documents: Sequence[Document], advice: str) -> None:
    """Refuse a domain that has one split only."""
    there = {(document.domain, document.split) for document in documents}
    for name in _count(documents):
        for split in ("train", "valid"):
            if (name, split) not in there:
                raise ValueError(f"data.source: domain {name!r} has no text for {split}; {advice}")
