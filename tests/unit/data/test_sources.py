import errno
import json
import logging
import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest

from moebench.data.separation import separate
from moebench.data.sources import SOURCES, Document, Files, HuggingFace, Packages, packages
from moebench.data.sources.prose import paragraphs
from moebench.data.sources.source import digest_by_domain

Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / "texts" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path / "texts"

    return write


def test_prose_is_what_reads_like_sentences() -> None:
    code = '''
    def area(width, height):
        """Return the area of a rectangle with the given sides.

        Parameters
        ----------
        width : float
            Length of the side that runs from left to right, in ``metres``.

        See :func:`~shapes.perimeter` for the length of the line around it.
        x = y + z * 3 - f(2)[1] ** 4 / 7 = 9.

        >>> area(2, 3)  # Something that looks like a sentence to nobody.
        6
        """
    '''
    assert list(paragraphs(dedent(code))) == [
        "Return the area of a rectangle with the given sides.",
        "Length of the side that runs from left to right, in metres.",
    ]


def test_markup_gives_way_to_its_content() -> None:
    code = '"""See :func:`~shapes.area` or :ref:`the guide <guide>` for what this is good for."""'
    (sentence,) = paragraphs(code)
    assert sentence == "See shapes.area or the guide for what this is good for."


def test_code_that_cannot_be_parsed_has_no_prose() -> None:
    assert list(paragraphs('def f(: """Return what nobody will ever be able to read."""')) == []


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


def test_packages_are_split_by_file_and_twins_stay_together() -> None:
    documents = separate(Packages(["cpp"], megabytes_per_domain=100).documents()).documents
    assert len({d.name for d in documents}) == len({d.text for d in documents}) == len(documents)
    held_out = sum(len(d.text) for d in documents if d.split == "valid")
    assert 0.02 < held_out / sum(len(d.text) for d in documents) < 0.15
    side = {d.name: d.split for d in documents}
    twins = [n for n in side if "512" in n and n.replace("512", "256") in side]
    assert twins
    assert all(side[name] == side[name.replace("512", "256")] for name in twins)
    assert all(name.startswith("torch/include/") and "cuda" not in name.lower() for name in side)


def test_packages_take_as_much_as_asked_in_a_fixed_shuffle() -> None:
    small = list(Packages(["python"], megabytes_per_domain=0.3).documents())
    large = list(Packages(["python"], megabytes_per_domain=0.6).documents())
    assert large[: len(small)] == small
    sizes = [len(d.text.encode()) for d in small]
    assert sum(sizes[:-1]) < 300_000 <= sum(sizes)
    names = [d.name for d in large]
    assert names != sorted(names)


def test_no_sentence_occurs_in_the_english_twice() -> None:
    pieces = [
        piece
        for document in Packages(["english"], megabytes_per_domain=0.1).documents()
        for piece in document.text.split("\n\n")
    ]
    assert len(set(pieces)) == len(pieces) > 100


def test_committed_versions_are_those_of_all_packages() -> None:
    committed = json.loads(Path(packages.__file__).with_name("packages.json").read_text())
    names = {n for recipe in packages._RECIPES.values() for n in recipe.packages}
    assert set(committed["versions"]) == names
    assert committed["megabytes_per_domain"] == Packages().megabytes_per_domain


def test_record_then_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The one log line: silent on equal text, names versions that differ, else says they agree."""
    versions = packages._versions(["cpp"])
    committed = {"megabytes_per_domain": 6.0, "versions": versions, "digests": {"cpp": "abc"}}
    path = tmp_path / "packages.json"
    path.write_text(json.dumps(committed))
    monkeypatch.setattr(packages, "_COMMITTED", path)
    source = Packages(["cpp"])
    source.check({"cpp": "abc"})
    assert not caplog.messages
    source.check({"cpp": "other"})
    (message,) = caplog.messages
    assert message == (
        "The text of cpp is not the committed one: "
        "the versions agree, but the files of a package differ"
    )
    caplog.clear()
    Packages(["cpp"], megabytes_per_domain=1).check({"cpp": "other"})
    assert not caplog.messages, "at another size, only versions can be compared"
    path.write_text(json.dumps(committed | {"versions": {"torch": "1.0"}}))
    source.check({"cpp": "other"})
    (message,) = caplog.messages
    assert message.endswith(f"torch is {versions['torch']}, expected 1.0")
    assert caplog.records[0].levelno == logging.WARNING


def test_record_writes_what_check_accepts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(packages, "_RECIPES", {"cpp": packages._RECIPES["cpp"]})
    monkeypatch.setattr(Packages.__init__, "__defaults__", (("cpp",), 0.2))
    packages.record(tmp_path / "packages.json")
    monkeypatch.setattr(packages, "_COMMITTED", tmp_path / "packages.json")
    source = Packages()
    source.check(digest_by_domain(separate(source.documents()).documents))
    assert not caplog.messages


def test_packages_have_a_fingerprint_of_what_the_installer_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Packages(["cpp"]).fingerprint()
    assert Packages(["cpp"]).fingerprint() == before
    assert Packages(["cpp"], megabytes_per_domain=1).fingerprint() != before
    assert Packages(["python"]).fingerprint() != before
    torch = metadata.distribution("torch")
    lists = {"RECORD": torch.read_text("RECORD") or ""}
    installed = SimpleNamespace(version=torch.version, read_text=lists.get)
    monkeypatch.setattr(metadata, "distribution", lambda name: installed)
    assert Packages(["cpp"]).fingerprint() == before
    lists["RECORD"] = lists["RECORD"].replace("torch/include/c10/", "torch/include/c11/", 1)
    assert Packages(["cpp"]).fingerprint() != before


def test_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(ValueError, match=r"^source\.domains: no text for 'cpp'; install .* torch$"):
        list(Packages(["cpp"]).documents())


@pytest.mark.parametrize("domains", [[], ["latin"], ["cpp", "cpp"]])
def test_unknown_domains(domains: list[str]) -> None:
    with pytest.raises(ValueError, match=r"^source\.domains=\[.*python, cpp, english, each once$"):
        Packages(domains)


def test_no_megabytes() -> None:
    with pytest.raises(ValueError, match=r"^source\.megabytes_per_domain=0: must be above 0$"):
        Packages(megabytes_per_domain=0)


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


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "datasets")


@pytest.fixture
def local(write: Write, offline: None) -> Path:
    def rows(texts: list[str]) -> str:
        return "".join(json.dumps({"text": text, "url": "-"}) + "\n" for text in texts)

    return write({"train.jsonl": rows(["one", "", "two"]), "validation.jsonl": rows(["six"] * 3)})


@pytest.mark.parametrize("streaming", [False, True])
def test_hugging_face_reads_rows(local: Path, streaming: bool) -> None:
    documents = list(HuggingFace(str(local), streaming=streaming).documents())
    assert documents == [
        Document("train/0", "texts", "train", "one"),
        Document("train/2", "texts", "train", "two"),
        *(Document(f"validation/{number}", "texts", "valid", "six") for number in range(3)),
    ]


def test_hugging_face_nulls_are_no_text_and_nothing_else_is(local: Path) -> None:
    (local / "train.jsonl").write_text('{"text": null, "url": "-"}\n{"text": "one", "url": "-"}\n')
    documents = list(HuggingFace(str(local)).documents())
    assert [d.text for d in documents if d.split == "train"] == ["one"]
    for name in ("train", "validation"):
        (local / f"{name}.jsonl").write_text('{"text": {"body": "one"}}\n')
    with pytest.raises(
        ValueError, match=r"^source\.column='text': row 0 of .* has dict there, not"
    ):
        list(HuggingFace(str(local)).documents())


def test_hugging_face_takes_as_many_rows_as_asked(local: Path) -> None:
    source = HuggingFace(str(local), splits=("validation", "validation"), max_documents=2)
    assert [d.split for d in source.documents()] == ["train", "train", "valid"]


def test_hugging_face_notices_local_changes(local: Path) -> None:
    before = HuggingFace(str(local)).fingerprint()
    assert HuggingFace(str(local)).fingerprint() == before
    assert HuggingFace(str(local), column="url").fingerprint() != before
    (local / "train.jsonl").write_text("")
    assert HuggingFace(str(local)).fingerprint() != before


def test_hugging_face_mistakes_are_one_line(local: Path) -> None:
    with pytest.raises(ValueError, match=r"^source\.column='body': '.*texts' has text, url$"):
        list(HuggingFace(str(local), column="body").documents())
    with pytest.raises(
        ValueError, match=r"^source\.name='.*': split 'test' cannot be loaded \("
    ) as e:
        list(HuggingFace(str(local), splits=("test", "train")).documents())
    assert "\n" not in str(e.value)
    with pytest.raises(
        ValueError, match=r"^source\.name='no/such': split 'train' cannot be loaded"
    ):
        list(HuggingFace("no/such").documents())
    with pytest.raises(ValueError, match=r"^source\.max_documents=0: must be at least 1$"):
        HuggingFace("a", max_documents=0)


def test_hugging_face_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ValueError, match=r'pip install "moebench\[huggingface\]"$'):
        list(HuggingFace("a").documents())


def test_all_sources_are_listed() -> None:
    assert set(SOURCES.values()) == {Packages, Files, HuggingFace}
