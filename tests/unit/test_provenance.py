"""Published figures that were made from older data than today's say that they are."""

from pathlib import Path

import pytest

from moebench.data.text import Text
from moebench.provenance import configs_of, outdated
from moebench.publish import origin, with_tables
from moebench.records import RunRecord, read
from moebench.report import render
from moebench.reproduce import conclude
from moebench.targets import FOLDERS, target


def run(arm: str, version: int = 1) -> RunRecord:
    return RunRecord(
        **{"target": "x", "profile": "full", "arm": arm, "seed": 0, "status": "finished"},
        **{"config_hash": "h", "commit": "c", "data_hash": "d", "data_version": version},
        **{"steps": 1, "tokens": 60, "seconds": 60.0, "tokens_per_second": 1.0},
        metrics={"valid/loss": 1.0},
    )


def test_every_arm_of_the_committed_evidence_has_its_configuration() -> None:
    for found in map(target, FOLDERS):
        if found.evidence.exists():
            arms = {record.arm for record in read(found.evidence) if record.data_hash}
            assert all(configs_of(found, arm) for arm in arms)


def test_evidence_of_today_says_nothing() -> None:
    runs = [run("dense", Text.version), run("recall_dense")]
    assert outdated(target("switch"), runs) == ""


def test_evidence_of_an_older_text_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the arms of one paper some are of text, others of a world, which has no new version."""
    monkeypatch.setattr(Text, "version", Text.version + 1)
    found = target("switch")
    runs = [run("dense", Text.version - 1), run("switch_cf1.25", Text.version), run("recall_dense")]
    told = outdated(found, runs)
    assert told == (
        f"1 of 3 runs were made from version {Text.version - 1} of the data `Text`, which have"
        f" version {Text.version} by now: this evidence is to be made anew."
    )
    assert told in origin(found, runs)
    assert outdated(target("notes"), [run("even/0.1")]) == "", "a sweep over a world"
    assert "Text" in outdated(target("notes"), [run("sensitivity/1,2", Text.version - 1)])


def test_tables_and_page_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = target("loss-free")
    text = found.evidence.with_name("README.md").read_text()
    records = read(found.evidence)
    older = {record.data_version for record in records}
    monkeypatch.setattr(Text, "version", max(older) + 1)
    assert f"have version {max(older) + 1} by now" in with_tables(text, found, records)
    (tmp_path / "results.jsonl").write_text(found.evidence.read_text())
    conclude(found, found.plan.profile("full"), tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert f"have version {max(older) + 1} by now" in page
    assert 'class="notice"' not in render(tmp_path, found.paper, [], [], {})
