"""The contract of a source of text."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

Split = Literal["train", "valid"]


class Document(NamedTuple):
    """One text of one domain."""

    name: str  # the same on every machine: a relative path with forward slashes, or a number
    domain: str
    split: Split | None  # None, for all documents or none: `moebench.data.separation` chooses
    text: str
    group: str = ""  # documents of one group are in one split; "": each is a group of its own


class Source(Protocol):
    """A supply of documents that is the same at every call."""

    def fingerprint(self) -> str:
        """Return a cheap identifier of the text, by which it is cached."""
        ...

    def documents(self) -> Iterator[Document]:
        """Yield the documents, copies included, in an order that depends on the text alone."""
        ...

    def check(self, digests: Mapping[str, str]) -> None:
        """Warn if the digest of a domain is not the expected one."""
        ...


def digest_of(parts: Iterable[str]) -> str:
    """Return the SHA-256 of some strings and their boundaries, as hexadecimal digits."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode(errors="surrogateescape")  # names of files need not be UTF-8
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def digest_by_domain(documents: Iterable[Document]) -> dict[str, str]:
    """Return the SHA-256 of each domain's names, splits and texts, in order of appearance."""
    parts: dict[str, list[str]] = {}
    for document in documents:
        digest = digest_of((document.name, document.split or "", document.text))
        parts.setdefault(document.domain, []).append(digest)
    return {domain: digest_of(digests) for domain, digests in parts.items()}
