"""No number in a README is typed: the tables follow from the committed records."""

from pathlib import Path

import pytest

from moebench.publish import publish, with_results, with_tables
from moebench.records import RunRecord, read, write_all
from moebench.targets import FOLDERS, target

ROOT = Path(__file__).parents[2]
WITH_EVIDENCE = [name for name in FOLDERS if target(name).evidence.exists()]


@pytest.mark.parametrize("name", WITH_EVIDENCE)
def test_the_tables_of_a_reproduction_are_up_to_date(name: str) -> None:
    found = target(name)
    text = found.evidence.with_name("README.md").read_text()
    assert with_tables(text, found, read(found.evidence)) == text


def test_the_tables_of_the_front_page_are_up_to_date() -> None:
    text = (ROOT / "README.md").read_text()
    assert with_results(text) == text


def test_the_front_page_counts_every_claim_once() -> None:
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if "](repro" in line]
    assert len(rows) == len(WITH_EVIDENCE)
    for name, row in zip(WITH_EVIDENCE, rows, strict=True):
        claims, *words = (int(cell) for cell in row.split("|")[2:-1])
        assert claims == len(target(name).claims) == sum(words)


def test_committed_evidence_is_of_a_large_profile() -> None:
    for name in WITH_EVIDENCE:
        assert {record.profile for record in read(target(name).evidence)} <= {"full", "gpu"}


def test_publishing_fills_both_pages(tmp_path: Path) -> None:
    """On a copy of the pages: the markers are there, the numbers arrive, twice changes nothing."""
    found = target("switch")
    folder = tmp_path / "reproductions" / found.folder
    folder.mkdir(parents=True)
    (tmp_path / "README.md").write_text((ROOT / "README.md").read_text())
    (folder / "README.md").write_text((found.evidence.with_name("README.md")).read_text())
    runs = tmp_path / "runs"
    runs.mkdir()
    records = [
        RunRecord(
            target=found.folder,
            profile="full",
            arm=arm,
            seed=seed,
            status="finished",
            config_hash="h",
            commit="c",
            steps=10,
            tokens=600,
            seconds=60.0,
            tokens_per_second=10.0,
            params_total=params,
            metrics={"valid/loss": loss + 0.001 * seed},
        )
        for arm, params, loss in [("dense", 11, 3.5), ("switch_cf1.25", 77, 3.25)]
        for seed in range(5)
    ]
    write_all(records, runs / "results.jsonl")
    copied = type(found)(**{**vars(found), "evidence": folder / "results.jsonl"})
    publish(copied, runs)
    page = (folder / "README.md").read_text()
    assert "10 runs" in page
    assert "reproduced" in page
    assert read(folder / "results.jsonl") == read(runs / "results.jsonl")
    publish(copied, runs)
    assert (folder / "README.md").read_text() == page
