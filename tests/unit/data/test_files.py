"""Files of text: folders are domains, names are any bytes, and links are followed."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from moebench.data.separation import separate
from moebench.data.sources import Document, Files
from moebench.data.sources.source import digest_by_domain

from .conftest import Write


def test_digests_see_names_splits_texts_and_where_each_ends() -> None:
    first = Document("a", "x", "train", "trainb")
    digests = {
        digest_by_domain(documents)["x"]
        for documents in (
            [first],
            [first._replace(name="atrain", text="b")],
            [first._replace(split="valid")],
            [first._replace(text="bd")],
            [first, first],
        )
    }
    assert len(digests) == 5


def test_one_file_keeps_its_end_for_validation(write: Write) -> None:
    lines = [f"line {number}\n" for number in range(40)]
    path = write({"book.txt": "".join(lines)}) / "book.txt"
    assert separate(Files(str(path)).documents()).documents == [
        Document(".", "book", "train", "".join(lines[:38])),
        Document(".", "book", "valid", "".join(lines[38:])),
    ]


def test_folders_are_domains(write: Write) -> None:
    root = write(
        {
            "law/a.txt": "one\ntwo\n",
            "law/deep/b.txt": "three\nfour\n",
            "art/c.md": "five\r\nsix",
            "d.txt": "seven\neight\n",
            ".git/config": "no\ntext\n",
        }
    )
    documents = separate(Files(str(root)).documents()).documents
    assert [(d.name, d.domain, d.split, d.text) for d in documents] == [
        ("art/c.md", "art", "train", "five\n"),
        ("art/c.md", "art", "valid", "six"),
        ("law/a.txt", "law", "train", "one\n"),
        ("law/a.txt", "law", "valid", "two\n"),
        ("law/deep/b.txt", "law", "train", "three\n"),
        ("law/deep/b.txt", "law", "valid", "four\n"),
        ("d.txt", "texts", "train", "seven\n"),
        ("d.txt", "texts", "valid", "eight\n"),
    ]


def test_many_files_are_split_by_file(write: Write) -> None:
    root = write({f"{number}.txt": f"text {number}\nmore\n" for number in range(41)})
    documents = separate(Files(str(root)).documents()).documents
    assert len(documents) == 41
    assert sum(d.split == "valid" for d in documents) == 3


def test_files_have_a_fingerprint_of_their_content(write: Write) -> None:
    root = write({"a.txt": "one\ntwo\n"})
    before = Files(str(root)).fingerprint()
    assert Files(str(root)).fingerprint() == before
    write({"a.txt": "one\ntwx\n"})
    assert Files(str(root)).fingerprint() != before


def test_paths_without_text(write: Write, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^source\.path='nowhere': no such file or folder"):
        Files("nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(ValueError, match=r"^source\.path='.*bare': the folder holds no files$"):
        Files(str(tmp_path / "bare"))
    empty = write({"x/empty.txt": "\n"})
    with pytest.raises(ValueError, match=r"domain 'x' has no text; give it at least two"):
        list(Files(str(empty)).documents())


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"caf\xe9\n", r"'.*b\.txt' is not UTF-8 text \(byte 3\)"), (b"a\0b", "contains zero bytes")],
)
def test_files_that_are_not_text(write: Write, data: bytes, message: str) -> None:
    root = write({"a.txt": "one\ntwo\n"})
    (root / "b.txt").write_bytes(data)
    with pytest.raises(ValueError, match=message):
        list(Files(str(root)).documents())


def test_links_to_folders_are_followed_but_not_in_circles(write: Write, tmp_path: Path) -> None:
    root = write({"a/1.txt": "one\ntwo\n"})
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    (tmp_path / "elsewhere" / "deep" / "2.txt").write_text("three\nfour\n")
    (root / "b").symlink_to(tmp_path / "elsewhere")
    (root / "b" / "up").symlink_to(tmp_path)
    (root / "b" / "self").symlink_to("self")
    source = Files(str(root))
    assert [(d.name, d.domain) for d in source.documents()] == [
        ("a/1.txt", "a"),
        ("b/deep/2.txt", "b"),
    ]
    before = source.fingerprint()
    (tmp_path / "elsewhere" / "deep" / "2.txt").write_text("three\nfive\n")
    assert source.fingerprint() != before


def test_a_folder_that_cannot_be_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """The owner of all files may read every folder, so the refusal is made up."""
    root = write({"a/1.txt": "one\ntwo\n", "b/2.txt": "three\nfour\n"})
    scandir = os.scandir

    def guarded(path: Path) -> Any:
        if Path(path).name == "b":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    with pytest.raises(ValueError, match=r"^source\.path: '.*b' cannot be read \(Permission den"):
        Files(str(root))


def test_a_file_that_cannot_be_read_to_its_end(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a broken disk names no file."""
    root = write({"a.txt": "one\ntwo\n"})

    def broken(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("hashlib.file_digest", broken)
    with pytest.raises(ValueError, match=r"^source\.path: '.*a\.txt' cannot be read \(Input/out"):
        Files(str(root)).fingerprint()


def test_names_are_any_bytes_and_a_folder_may_be_called_by_a_dot(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"a.txt": "one\ntwo\n"})
    (root / os.fsdecode(b"caf\xe9.txt")).write_text("three\nfour\n")
    monkeypatch.chdir(root)
    here = Files(".")
    assert {d.domain for d in here.documents()} == {"texts"}
    assert here.fingerprint() == Files(str(root)).fingerprint()
    separated = separate(here.documents()).documents
    assert digest_by_domain(separated).keys() == {"texts"}
