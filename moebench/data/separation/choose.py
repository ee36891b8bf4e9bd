"""Chooses the validation text of sources that have no split of their own."""

from collections.abc import Iterator, Sequence

from moebench.data.sources.source import Document, digest_of

_ONE_IN = 20  # groups of documents, or lines of a document, are for validation


def chosen(documents: Sequence[Document]) -> Iterator[Document]:
    """Yield the documents of one domain, each with a split.

    With twenty groups or more, one in twenty is for validation, chosen by a hash of its name. With
    fewer it is the last twentieth of the lines of each document that has several, or one group if
    none has.
    """
    groups = sorted(
        {_group(document) for document in documents}, key=lambda name: digest_of([name])
    )
    by_lines = any(len(document.text.strip().splitlines()) > 1 for document in documents)
    if len(groups) >= _ONE_IN or (len(groups) > 1 and not by_lines):
        held_out = set(groups[::_ONE_IN])
        for document in documents:
            yield document._replace(split="valid" if _group(document) in held_out else "train")
    else:
        for document in documents:
            yield from _split_by_lines(document)


def _group(document: Document) -> str:
    return document.group or document.name


def _split_by_lines(document: Document) -> Iterator[Document]:
    lines = document.text.splitlines(keepends=True)
    cut = len(lines) - -(-len(lines) // _ONE_IN)
    head, tail = "".join(lines[:cut]), "".join(lines[cut:])
    if not head.strip():  # a single line is not split
        head, tail = document.text, ""
    yield document._replace(split="train", text=head)
    if tail.strip():
        yield document._replace(split="valid", text=tail)
