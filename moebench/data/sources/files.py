"""The user's own text files."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from moebench.data.sources.source import Document, digest_of

_ONE_IN = 20  # files, or lines of a file, for validation


class Files:
    """A text file, or a folder of them; each folder directly inside it is a domain of its own.

    Every file below the folder is read, at any depth, as UTF-8; names that start with a dot are
    passed over. A domain of twenty files or more keeps one file in twenty for validation, chosen
    by a hash of the names; a smaller one keeps the last twentieth of the lines of each file.

    Args:
        path: the file or folder. Files that lie beside domain folders form a domain with the
            name of the folder itself.

    Raises:
        FileNotFoundError: if there is nothing at that path.
        ValueError: if it holds no file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        root = Path(path)
        if not root.exists():
            raise FileNotFoundError(f"source.path={path!r}: no such file or folder")
        if not _text_files(root):
            raise ValueError(f"source.path={path!r}: the folder holds no files")

    def fingerprint(self) -> str:
        """Return a digest of all documents: whatever changes in the files changes it."""
        return digest_of(chain(["files"], *self.documents()))

    def documents(self) -> Iterator[Document]:
        """Yield the documents, domain after domain, each in the order of its files' names.

        Raises:
            ValueError: if a file is not UTF-8 text, or a domain is too short to be split.
        """
        root = Path(self.path)
        domains: dict[str, list[Path]] = {}
        for file in _text_files(root):
            inner = file.relative_to(root).parts[:-1]
            domains.setdefault(inner[0] if inner else root.stem, []).append(file)
        for domain, files in sorted(domains.items()):
            documents = list(_split(domain, root, files))
            for split in ("train", "valid"):
                if not any(document.split == split for document in documents):
                    raise ValueError(
                        f"source.path={self.path!r}: domain {domain!r} has no text for {split}; "
                        "give it at least two lines of text"
                    )
            yield from documents

    def check(self, digests: Mapping[str, str]) -> None:
        """Accept any text: there is nothing that the user's own files ought to be."""


def _text_files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    found = (path for path in root.rglob("*") if path.is_file())
    visible = (
        path for path in found if not any(p.startswith(".") for p in path.relative_to(root).parts)
    )
    return sorted(visible, key=lambda path: path.relative_to(root).as_posix())


def _split(domain: str, root: Path, files: list[Path]) -> Iterator[Document]:
    """Yield the documents of one domain, split by file if there are enough, else by lines."""
    names = {file: file.relative_to(root).as_posix() for file in files}
    by_hash = sorted(files, key=lambda file: digest_of([names[file]]))
    held_out = set(by_hash[::_ONE_IN]) if len(files) >= _ONE_IN else set()
    for file in files:
        lines = _read(file).splitlines(keepends=True)
        if held_out:
            cut = 0 if file in held_out else len(lines)
        else:
            cut = len(lines) - -(-len(lines) // _ONE_IN)
        head, tail = "".join(lines[:cut]), "".join(lines[cut:])
        if head.strip():
            yield Document(names[file], domain, "train", head)
        if tail.strip():
            yield Document(names[file], domain, "valid", tail)


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
        raise ValueError(f"source.path: {str(path)!r} holds zero bytes, so it is no text file")
    return text
