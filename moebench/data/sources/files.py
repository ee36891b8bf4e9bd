"""The user's own text files."""

import hashlib
import os
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import NoReturn

from moebench.data.sources.rows import ROWS, rows
from moebench.data.sources.source import Document, digest_of

FIELD = "text"  # default field of the text in rows


class Files:
    """A text file, or a folder of them; each folder directly inside it is a domain of its own.

    Every file below the folder is read, at any depth, as UTF-8; links to folders are followed, and
    names that start with a dot are skipped. A file is a document; so is each row of a `.jsonl` or
    `.parquet` file. A domain of twenty documents or more keeps one in twenty for validation,
    chosen by a hash of the names; a smaller one keeps the last twentieth of the lines of each
    document that has several.

    Args:
        path: the file or folder. Files beside the folders of domains form a domain with the
            name of the folder itself.
        field: key or column of the text in `.jsonl` and `.parquet` files.

    Raises:
        FileNotFoundError: if there is nothing at that path.
        ValueError: if it holds no file, or none that has the field.
    """

    def __init__(self, path: str, field: str = FIELD) -> None:
        self.path = path
        self.field = field
        if not path.strip():
            raise ValueError("source.path: is empty; it takes a file or a folder")
        root = Path(path)
        if not root.exists():
            raise FileNotFoundError(f"source.path={path!r}: no such file or folder")
        files = _text_files(root)
        if not files:
            raise ValueError(f"source.path={path!r}: the folder holds no files")
        if field != FIELD and not any(file.suffix.lower() in ROWS for file in files):
            kinds = " or ".join(ROWS)
            raise ValueError(f"source.field={field!r}: {path!r} has no {kinds} file with fields")

    def fingerprint(self) -> str:
        """Return a digest of all files: any change in them changes it."""
        root = Path(self.path)
        files = (
            (_name(root), file.relative_to(root).as_posix(), _digest(file))
            for file in _text_files(root)
        )
        return digest_of(chain(["files", self.field], *files))

    def documents(self) -> Iterator[Document]:
        """Yield the documents, domain by domain, each in the order of its files' names.

        Raises:
            ValueError: if a file is not UTF-8 text, rows lack the field, or a domain is empty.
        """
        root = Path(self.path)
        domains: dict[str, list[Path]] = {}
        for file in _text_files(root):
            inner = file.relative_to(root).parts[:-1]
            domains.setdefault(inner[0] if inner else _name(root), []).append(file)
        for domain, files in sorted(domains.items()):
            empty = True
            for file in files:
                for name, text in self._texts(file, file.relative_to(root).as_posix()):
                    empty = False
                    yield Document(name, domain, None, text)
            if empty:
                raise ValueError(
                    f"source.path={self.path!r}: domain {domain!r} has no text; "
                    "give it at least two lines of text"
                )

    def check(self, digests: Mapping[str, str]) -> None:
        """Accept any text: nothing is expected of the user's own files."""

    def _texts(self, file: Path, name: str) -> Iterator[tuple[str, str]]:
        """Yield the names and texts of the documents of a file; none is empty."""
        if file.suffix.lower() not in ROWS:
            if (text := _read(file)).strip():
                yield name, text
            return
        for number, text in rows(file, self.field):
            if text.strip():
                yield f"{name}/{number}", text


def _text_files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    found: list[Path] = []
    for folder, inner, names in os.walk(root, onerror=_refuse, followlinks=True):
        here = Path(folder)
        inner[:] = [name for name in inner if _is_below(here / name, here)]
        found += (here / name for name in names)
    visible = (path for path in found if not path.name.startswith(".") and path.is_file())
    return sorted(visible, key=lambda path: path.relative_to(root).as_posix())


def _name(root: Path) -> str:
    """Return the domain of files beside the domain folders, even for a root such as `.`."""
    return Path(os.path.abspath(root)).stem


def _is_below(inner: Path, folder: Path) -> bool:
    """Return whether to read a folder: one that is not hidden and no link back up."""
    return not (inner.name.startswith(".") or folder.resolve().is_relative_to(inner.resolve()))


def _refuse(error: OSError) -> NoReturn:
    raise ValueError(f"source.path: {error.filename!r} cannot be read ({error.strerror})")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        error.filename = str(path)  # an error of reading has none
        _refuse(error)


def _read(path: Path) -> str:
    """Return the text of a file, with line feeds for line ends."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"source.path: {str(path)!r} is not UTF-8 text (byte {error.start}); "
            "convert it or move it elsewhere"
        ) from error
    if "\0" in text:
        raise ValueError(f"source.path: {str(path)!r} contains zero bytes, so it is not text")
    return text
