"""`moebench cite`: BibTeX that a parser reads, of a target, a file of records and a folder."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from moebench.cli.main import main
from moebench.evidence.record_files import read, write
from moebench.papers import targets

COMMITTED = {one.name: one.evidence for one in targets() if one.evidence.exists()}
ENTRY = re.compile(r"@(\w+)\{([\w.-]+),\n((?:  \w+ = \{.*\},\n)*)\}\n*")
FIELD = re.compile(r"  (\w+) = \{(.*)\},\n")


def parsed(text: str) -> dict[str, dict[str, str]]:
    """Key -> the fields of its entry; fails on anything that is no entry, and on a repeated key."""
    found: dict[str, dict[str, str]] = {}
    place = 0
    while place < len(text):
        one = ENTRY.match(text, place)
        assert one is not None, f"no entry of BibTeX: {text[place : place + 80]!r}"
        fields = dict(FIELD.findall(one[3]))
        assert one[2] not in found, f"{one[2]} is there twice"
        for value in fields.values():
            assert value.count("{") == value.count("}")
            assert not re.search(r"(?<!\\)[%#&]", re.sub(r"^https?://.*", "", value))
        found[one[2]] = fields
        place = one.end()
    return found


def cited(what: object, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    assert main(["cite", str(what)]) == 0
    return parsed(capsys.readouterr().out)


def test_a_file_of_records_cites_its_paper_its_parts_and_its_libraries(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = cited(COMMITTED["switch"], capsys)
    paper = found["fedus2021-2101.03961"]
    assert paper["author"] == "Fedus and Zoph and Shazeer"
    assert paper["title"].startswith("{Switch Transformers: ")
    assert (paper["year"], paper["eprint"]) == ("2021", "2101.03961")
    versions = {name for run in read(COMMITTED["switch"]) for name in run.versions}
    assert {f"software-{name}" for name in versions} <= set(found)
    assert len(found) > 1 + len(versions), "parts name their sources"


@pytest.mark.parametrize("name", COMMITTED)
def test_every_target_is_cited_in_entries_that_parse(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, fields in cited(name, capsys).items():
        assert fields.get("title") or fields.get("eprint"), key


def test_a_folder_of_runs_cites_what_all_of_them_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the versions of these runs, whichever folder above them is named."""
    one = read(COMMITTED["switch"])[0]
    for seed, torch in ((0, "2.98"), (1, "2.99")):
        folder = tmp_path / one.target / "quick" / one.arm / f"seed_{seed}"
        folder.mkdir(parents=True)
        write(replace(one, versions={"torch": torch}), folder / "record.json")
    for folder in (tmp_path, tmp_path / one.target, tmp_path / one.target / "quick"):
        found = cited(folder, capsys)
        assert found["software-torch"]["note"] == "version 2.98, 2.99"
        assert "fedus2021-2101.03961" in found
    assert (
        cited(tmp_path / one.target / "quick" / one.arm / "seed_1", capsys)["software-torch"][
            "note"
        ]
        == "version 2.99"
    )


def test_what_is_neither_a_target_nor_records_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "none.jsonl"
    empty.write_text("")
    assert main(["cite", str(empty)]) == 2
    assert "has no record" in capsys.readouterr().err
    assert main(["cite", "swich"]) == 2
    assert "switch" in capsys.readouterr().err
