"""Comparisons as text, tables and pages: all say the same, and name what is left out."""

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moebench.cli import main as cli
from moebench.cli.main import main
from moebench.comparison import Comparison, compare
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_all
from moebench.report.comparison.page import (
    comparison_markdown,
    comparison_page,
    comparison_text,
    write_comparison,
)
from moebench.report.comparison.pair_sheet import pair_sheet

from ..comparison.fakes import DENSE, LEAKY, SPARSE, logged, only, record


def test_the_files_say_the_same(tmp_path: Path) -> None:
    comparison = compare(logged(*DENSE, *SPARSE, record("odd", 0, 3.0, status="failed")))
    row = next(csv.DictReader(io.StringIO(pair_sheet(comparison).csv())))
    pair = only(comparison)
    assert float(row["difference"]) == pair.difference.estimate
    assert float(row["difference_low"]) == pair.difference.low
    assert (row["mixture"], row["dense"], row["equal_in"], row["n"]) == (
        *("sparse", "dense", "FLOPs time", "3"),
    )
    markdown = comparison_markdown(comparison, "3 runs")
    page = comparison_page(comparison, "3 runs")
    for text in (comparison_text(comparison), markdown, page):
        assert "−0.20 [−0.45, +0.05]" in text.replace("\\", "")
        assert "no run finished: 1 failed" in text
    assert [p.name for p in write_comparison(comparison, tmp_path / "new", "3 runs")] == [
        *("compare.csv", "compare.tex", "compare.md", "compare.html"),
    ]
    assert "http" not in page
    assert "&lt;" in comparison_page(compare(logged(record("<b>", 0, 1.0))), "")


def test_one_seed_has_no_interval() -> None:
    row = next(csv.DictReader(io.StringIO(pair_sheet(compare(logged(DENSE[0], SPARSE[0]))).csv())))
    assert (row["difference_low"], row["difference_high"]) == ("", "")
    assert math.isclose(float(row["difference"]), -0.2)


def test_mixtures_that_leak_are_marked_with_a_footnote() -> None:
    kinds = "later tokens, other sequences"
    note = f"† causal, but its routing depends on more than the tokens so far: {kinds}"
    for found, leaks in [(compare(logged(DENSE[0], LEAKY)), True), (sound(), False)]:
        page = comparison_page(found, "2 runs")
        for text in (comparison_text(found), comparison_markdown(found, "2 runs"), page):
            assert (note in text) == leaks
            assert ("sparse†" in text) == leaks
            assert "dense†" not in text
        [row] = csv.DictReader(io.StringIO(pair_sheet(found).csv()))
        assert row["leaks"] == (kinds if leaks else "")


def sound() -> Comparison:
    return compare(logged(DENSE[0], SPARSE[0]))


def test_the_command_selects_by_tag_and_says_so(tmp_path: Path, capsys: Any) -> None:
    other = record("sparse_b", 0, 2.0)
    write_all([*DENSE, *SPARSE, other], tmp_path / "results.jsonl")
    given = ["compare", "--records", str(tmp_path / "results.jsonl"), "--out", str(tmp_path)]
    assert main([*given, "--tag", "arm=sparse"]) == 0
    assert "sparse_b" not in capsys.readouterr().out
    written = (tmp_path / "compare.md").read_text()
    assert ", mixtures with arm sparse." in written
    assert "sparse_b" not in written


def test_the_command_says_what_its_files_omit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "KEPT", 1)
    others = [record(f"sparse_{n}", 0, 2.0) for n in range(3)]
    write_all([*DENSE, *others], tmp_path / "results.jsonl")
    given = ["compare", "--records", str(tmp_path / "results.jsonl"), "--out", str(tmp_path)]
    assert main(given) == 0
    assert (
        "2 pairs after the best 1 of a profile are left out"
        in (tmp_path / "compare.md").read_text()
    )


TEXT = {"data/overlap": 0.0123, "data/overlap/art": 0.0, "data/overlap/law": 0.0456}
SAID = (
    "Validation text that the training text has too, in stretches of 32 tokens: "
    "1.23% (art 0.00%, law 4.56%)"
)


def on(record: RunRecord, shares: dict[str, float]) -> RunRecord:
    return replace(record, metrics={**record.metrics, **shares})


def test_the_overlap_of_the_splits_is_reported() -> None:
    for shares, said in ((TEXT, True), ({}, False)):
        found = compare(logged(on(DENSE[0], shares), on(SPARSE[0], shares)))
        assert (SAID in comparison_text(found)) == said
        assert (f"{SAID}." in comparison_markdown(found, "2 runs")) == said
        assert (f"{SAID}." in comparison_page(found, "2 runs")) == said


def test_each_target_of_a_comparison_has_its_own_overlap() -> None:
    elsewhere = [replace(one, target="else") for one in (DENSE[0], SPARSE[0])]
    runs = logged(*elsewhere, on(DENSE[0], TEXT), on(SPARSE[0], TEXT))
    written = comparison_markdown(compare(runs), "4 runs")
    first, second = written.split("## else quick")[1].split("## paper quick")
    assert "Validation text" not in first
    assert SAID in second
