"""Archives of token files, for machines without the text: packed on one, unpacked on another.

An archive has one folder per corpus: its files, and `asked.json` with its source and vocabulary.
Unpacking puts it where the other machine looks for the tokens of that source, so runs there use the
same text and record the same hash.
"""

import json
import tarfile
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from moebench.data import corpus
from moebench.data.sources.source import Source
from moebench.data.unfinished import unfinished

_KEY_FILE = "asked.json"
_FILES = ("corpus.json", "tokenizer.json", "train.bin", "valid.bin")


@dataclass(frozen=True)
class CorpusKey:
    """The source of a corpus, as JSON of its configuration, and its vocabulary."""

    source: str
    vocabulary: int
    form: str = corpus.FORMAT  # that of the token files


def pack(wanted: Iterable[tuple[CorpusKey, Source]], path: Path) -> None:
    """Write an archive of the tokens of some sources; those not in the cache are encoded first."""
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with tarfile.open(unfinished, "w:gz") as archive:
            for key, source in wanted:
                _add(archive, key, source)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, key: CorpusKey, source: Source) -> None:
    """Add the token files of a source."""
    folder = corpus.folder_of(source, key.vocabulary)
    corpus.build(source, key.vocabulary, folder)
    text = json.dumps(vars(key)).encode()
    about = tarfile.TarInfo(f"{folder.name}/{_KEY_FILE}")
    about.size = len(text)
    archive.addfile(about, BytesIO(text))
    for name in _FILES:
        archive.add(folder / name, f"{folder.name}/{name}")


def unpack(path: Path, source_of: Callable[[str], Source]) -> None:
    """Put the token files of an archive into the cache, unless they are there already.

    Args:
        path: the archive.
        source_of: makes a source from its description.

    Raises:
        ValueError: if it is not such an archive, or its contents are damaged.
        FileNotFoundError: if it does not exist.
    """
    try:
        with tarfile.open(path) as archive, unfinished(corpus.cache() / "archive") as place:
            archive.extractall(place, filter="data")
            for made in sorted(place.iterdir()):
                key = CorpusKey(**json.loads((made / _KEY_FILE).read_text(encoding="utf-8")))
                if key.form != corpus.FORMAT:
                    raise ValueError(f"{path}: packed by another version; pack it again")
                _adopt(made, corpus.folder_of(source_of(key.source), key.vocabulary))
    except (tarfile.TarError, EOFError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: holds no token files ({error})") from error


def _adopt(made: Path, folder: Path) -> None:
    """Move a folder of token files to its place in the cache.

    Raises:
        ValueError: if its files do not match its hash.
    """
    described = corpus.load(made)
    if corpus.content_hash(made, described.vocabulary, described.digests) != described.content_hash:
        raise ValueError(f"{folder.name}: the token files are damaged")
    if not folder.exists():
        (made / _KEY_FILE).unlink()
        made.rename(folder)
