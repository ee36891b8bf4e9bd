"""Rows of data sets of Hugging Face, here local ones."""

import json
import sys
from pathlib import Path

import pytest

from moebench.data.sources import Document, HuggingFace

from .conftest import Write


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
