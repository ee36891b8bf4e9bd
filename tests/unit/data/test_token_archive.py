"""Token files that are copied to a machine without the text."""

import json
import tarfile
from pathlib import Path

import pytest

from moebench.data import corpus
from moebench.data.sources import Files
from moebench.data.token_archive import CorpusKey, pack, unpack


@pytest.fixture(scope="module")
def made(small_text: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a packed text, and the cache that it comes from."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOEBENCH_CACHE", str(folder))
        key = CorpusKey("described", 300)
        pack([(key, Files(str(small_text / "first")))], folder / "text.tar.gz")
    return folder


@pytest.fixture
def packed(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The packed text, on a machine with an empty cache."""
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "there"))
    return made / "text.tar.gz"


class Elsewhere:
    """A source on a machine without the text."""

    def fingerprint(self) -> str:
        return "other packages"


def test_text_is_unpacked_to_where_runs_look_for_it(packed: Path, made: Path) -> None:
    asked: list[str] = []

    def source_of(described: str) -> Elsewhere:
        asked.append(described)
        return Elsewhere()

    unpack(packed, source_of)
    assert asked == ["described"]
    found = corpus.folder_of(Elsewhere(), 300)
    [original] = (made / "text").iterdir()
    assert corpus.load(found) == corpus.load(original)
    names = {"corpus.json", "tokenizer.json", "train.bin", "valid.bin"}
    assert {path.name for path in found.iterdir()} == names
    assert all((found / name).read_bytes() == (original / name).read_bytes() for name in names)
    assert [path.name for path in corpus.cache().iterdir()] == [found.name], "nothing else is left"
    unpack(packed, source_of)  # once more changes nothing


def repacked(packed: Path, tmp_path: Path, name: str, content: bytes) -> Path:
    """Pack again, with one file changed."""
    with tarfile.open(packed) as archive:
        archive.extractall(tmp_path / "opened", filter="data")
    [folder] = (tmp_path / "opened").iterdir()
    (folder / name).write_bytes(content)
    with tarfile.open(tmp_path / "changed", "w:gz") as archive:
        archive.add(folder, folder.name)
    return tmp_path / "changed"


def test_an_archive_that_is_missing_leaves_no_trace(packed: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        unpack(tmp_path / "nowhere", lambda _: Elsewhere())
    assert not list(tmp_path.iterdir())


def test_damaged_tokens_are_refused(packed: Path, tmp_path: Path) -> None:
    changed = repacked(packed, tmp_path, "valid.bin", b"\x01\x00")
    with pytest.raises(ValueError, match="damaged"):
        unpack(changed, lambda _: Elsewhere())
    assert not list(corpus.cache().iterdir())


def test_tokens_of_another_format_are_refused(packed: Path, tmp_path: Path) -> None:
    asked = {"source": "described", "vocabulary": 300, "form": "0"}
    changed = repacked(packed, tmp_path, "asked.json", json.dumps(asked).encode())
    with pytest.raises(ValueError, match="another version"):
        unpack(changed, lambda _: Elsewhere())


def test_other_files_are_refused(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "there"))
    (tmp_path / "text").write_text("not packed")
    with pytest.raises(ValueError, match="holds no token files"):
        unpack(tmp_path / "text", lambda _: Elsewhere())
