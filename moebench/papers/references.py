"""The sources that docstrings name, as BibTeX.

Each fact is written once: a docstring names its source in words, `Fedus, Zoph and Shazeer 2021
(arXiv 2101.03961)`, and the title of a reproduced paper is in its `Paper`. Anything that neither
gives is left out of an entry, not guessed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from moebench.papers.claim import Paper

_AUTHORS = r"[A-Z][\w-]+(?: team)?(?:, [A-Z][\w-]+)*(?: and [A-Z][\w-]+| et al\.)?"
_NUMBER = r"\(arXiv (?P<arxiv>\d{4}\.\d{4,5})\b"
_VERBATIM = ("eprint", "url")  # fields of which LaTeX takes every sign as it is
_SPECIAL = re.compile(r"[%#&$_]")
_SOURCE = re.compile(
    rf"(?P<authors>{_AUTHORS}) (?P<year>(?:19|20)\d\d)"
    rf'(?:(?:, (?P<name>[^():;."]+))? {_NUMBER}|, "(?P<title>[^"]+)")'
)


@dataclass(frozen=True)
class Reference:
    """What is known of a source.

    Args:
        authors: surnames as a sentence lists them.
        year: year of publication.
        arxiv: its arXiv number; empty without one.
        title: its title; empty if unknown.
        name: the common name of its method, such as GShard; empty if it is cited by title.
    """

    authors: str
    year: str
    arxiv: str = ""
    title: str = ""
    name: str = ""

    @property
    def key(self) -> str:
        """Its key in BibTeX: first author, year, and the arXiv number if there is one."""
        first = re.split(r",| and | et al| team", self.authors)[0]
        name = re.sub(r"\W", "", first).lower() + self.year
        return f"{name}-{self.arxiv}" if self.arxiv else name

    @property
    def bibtex(self) -> str:
        """The entry."""
        fields = {
            "author": _persons(self.authors),
            "title": self.title and f"{{{self.title}}}",
            "note": "" if self.title else self.name,
            "year": self.year,
            "eprint": self.arxiv,
            "archiveprefix": self.arxiv and "arXiv",
            "url": self.arxiv and f"https://arxiv.org/abs/{self.arxiv}",
        }
        return entry("misc", self.key, fields)


def entry(kind: str, key: str, fields: dict[str, str]) -> str:
    """Return a BibTeX entry without its empty fields."""
    written = {
        name: value if name in _VERBATIM else _SPECIAL.sub(r"\\\g<0>", value)
        for name, value in fields.items()
        if value
    }
    known = [f"  {name} = {{{value}}}," for name, value in written.items()]
    return "\n".join([f"@{kind}{{{key},", *known, "}"])


def cited_in(text: str) -> list[Reference]:
    """Return the sources that a text names with an arXiv number or a title, in its order."""
    return [
        Reference(**{name: (value or "").strip() for name, value in found.groupdict().items()})
        for found in _SOURCE.finditer(" ".join(text.split()))
    ]


def of_paper(paper: Paper) -> Reference:
    """Return the reference to a reproduced paper."""
    return Reference(paper.authors, str(paper.year), paper.arxiv, paper.title)


def merged(found: Iterable[Reference]) -> list[Reference]:
    """Return every source once, with the title and the longest name given anywhere."""
    kept: dict[str, Reference] = {}
    for one in found:
        known = kept.setdefault(one.arxiv or one.title.casefold(), one)
        if one.title and not known.title:
            kept[one.arxiv] = one
        elif len(one.name) > len(known.name):
            kept[one.arxiv or one.title.casefold()] = replace(known, name=one.name)
    return list(kept.values())


def _persons(authors: str) -> str:
    """Return authors in BibTeX's form: `Fedus and Zoph and Shazeer`, `Raffel and others`."""
    listed = re.split(r", | and ", authors.replace(" et al.", " and others"))
    return " and ".join(f"{{{name}}}" if re.search(r"[ -]", name) else name for name in listed)
