"""What a source of text promises."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, NamedTuple, Protocol

Split = Literal["train", "valid"]


class Document(NamedTuple):
    """One text of one domain, wholly in the training or in the validation split."""

    name: str  # the same on every machine: a relative path with forward slashes, or a number
    domain: str
    split: Split
    text: str


class Source(Protocol):
    """A supply of documents that is the same at every call."""

    def fingerprint(self) -> str:
        """Return a name of the text that is cheap to find: it decides which cache serves."""
        ...

    def documents(self) -> Iterator[Document]:
        """Yield the documents, in an order that depends on nothing but the text itself."""
        ...

    def check(self, digests: Mapping[str, str]) -> None:
        """Warn if the digest of a domain is not the one this source is known for."""
        ...


def digest_of(parts: Iterable[str]) -> str:
    """Return the SHA-256 of some strings, as hexadecimal digits; where each ends counts too."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def digest_by_domain(documents: Iterable[Document]) -> dict[str, str]:
    """Return the SHA-256 of each domain's names, splits and texts, in order of appearance."""
    parts: dict[str, list[str]] = {}
    for name, domain, split, text in documents:
        parts.setdefault(domain, []).append(digest_of((name, split, text)))
    return {domain: digest_of(digests) for domain, digests in parts.items()}
