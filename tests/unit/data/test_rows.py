"""Rows of `.jsonl` and `.parquet` files are documents; their text is a field."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from moebench.data.separation import separate
from moebench.data.sources import Document, Files

ROWS: list[dict[str, Any]] = [
    {"body": "one\r\nline two", "url": "-"},
    {"body": "", "url": "-"},
    {"body": None, "url": "-"},
    {"body": '{"a": "brace"}', "url": "-"},
]
EXPECTED = [(0, "one\nline two"), (3, '{"a": "brace"}')]


@pytest.fixture(params=["jsonl", "parquet"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = tmp_path / f"rows.{request.param}"
    write(path, ROWS)
    return path


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    if path.suffix == ".jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    else:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path, row_group_size=2)


def test_each_row_is_a_document(file: Path) -> None:
    documents = list(Files(str(file), field="body").documents())
    assert documents == [Document(f"./{n}", "rows", None, text) for n, text in EXPECTED]
    (file.parent / "b.txt").write_text("plain\ntext")
    names = [d.name for d in Files(str(file.parent), field="body").documents()]
    assert names == ["b.txt", f"{file.name}/0", f"{file.name}/3"]


def test_one_row_in_twenty_is_for_validation(file: Path) -> None:
    write(file, [{"text": f"the text of row {n} is this: {n * n}"} for n in range(60)])
    documents = separate(Files(str(file)).documents()).documents
    assert [d.split for d in documents].count("valid") == 3
    assert len(documents) == 60


def test_the_fingerprint_sees_field_and_content(file: Path) -> None:
    before = Files(str(file), field="body").fingerprint()
    assert Files(str(file), field="body").fingerprint() == before
    assert Files(str(file), field="url").fingerprint() != before
    write(file, ROWS[:1])
    assert Files(str(file), field="body").fingerprint() != before


def test_a_field_that_is_missing_or_no_text(file: Path) -> None:
    with pytest.raises(ValueError, match=r"^source\.field='text': '.*rows\.\w+' has body, url$"):
        list(Files(str(file)).documents())
    write(file, [{"text": 3}])
    with pytest.raises(ValueError, match=r"^source\.field='text': row 0 of .* has int there, not"):
        list(Files(str(file)).documents())


def test_a_field_without_rows(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("plain\ntext")
    with pytest.raises(ValueError, match=r"^source\.field='body': .* has no \.jsonl or \.parquet"):
        Files(str(tmp_path), field="body")
    assert list(Files(str(tmp_path)).documents())


def test_files_that_are_not_what_their_name_says(file: Path) -> None:
    file.write_text('{"text": "fine"}\n{"text": \n')
    kind = "line 2 of .* is not JSON" if file.suffix == ".jsonl" else ".* is not Parquet"
    with pytest.raises(ValueError, match=rf"^source\.path: {kind}"):
        list(Files(str(file)).documents())


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("[" * 200_000, r"source\.path: line 2 of '.*a\.jsonl' is not JSON \("),
        ('{"n": ' + "1" * 5000 + "}", r"source\.path: line 2 of '.*a\.jsonl' is not JSON \("),
        ('{"text": "\\ud83d"}', r"source\.field='text': row 1 of '.*a\.jsonl' has '\\ud83d', half"),
    ],
)
def test_rows_that_no_reader_takes(tmp_path: Path, line: str, message: str) -> None:
    """Deep nesting, huge numbers, and half of a surrogate pair."""
    (tmp_path / "a.jsonl").write_text(f'{{"text": "\\ud83d\\ude00"}}\n{line}\n')
    with pytest.raises(ValueError, match=rf"^{message}"):
        list(Files(str(tmp_path)).documents())


def test_rows_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes('{"text": "one"}\n'.encode("utf-16"))
    with pytest.raises(ValueError, match=r"^source\.path: '.*a\.jsonl' is not UTF-8 text \("):
        list(Files(str(tmp_path)).documents())


def test_capitals_in_a_suffix_make_no_other_format(tmp_path: Path) -> None:
    (tmp_path / "A.JSONL").write_text('{"text": "one", "body": "two"}\n')
    assert [d.text for d in Files(str(tmp_path)).documents()] == ["one"]
    assert [d.text for d in Files(str(tmp_path), field="body").documents()] == ["two"]


def test_a_row_that_is_no_object(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('["text"]\n')
    with pytest.raises(ValueError, match=r"^source\.field='text': '.*a\.jsonl' has no fields$"):
        list(Files(str(tmp_path)).documents())


def test_parquet_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_text("")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match=r"needs the package pyarrow; run: pip install pyarrow$"):
        list(Files(str(tmp_path)).documents())
