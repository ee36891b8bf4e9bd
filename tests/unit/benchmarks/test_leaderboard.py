"""The ranking of routers: which costs are equal, and how ranks follow from differences."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import leaderboard
from benchmarks.leaderboard import sheet, text, with_leaderboard
from benchmarks.leaderboard_opening import opening
from benchmarks.ranking import Runs, places
from moebench.cli.exports import FORMS
from moebench.evidence.record_files import read

from .fakes import run, runs


def rows(board: Runs) -> Sequence[Sequence[str]]:
    return sheet(places(board)).rows


def test_ranks_follow_from_paired_differences() -> None:
    """`good` beats all others with every seed; `close` and dense alternate."""
    noise = [0.0, 0.5, -0.5]
    found = places(
        runs(
            dense=[3.0 + n for n in noise],
            close=[3.0 + n + d for n, d in zip(noise, [0.1, -0.1, 0.05], strict=True)],
            good=[2.5 + n + d for n, d in zip(noise, [0.01, 0.0, -0.01], strict=True)],
        )
    )
    assert [place.name for place in found] == ["good", "dense", "close"]
    assert [place.rank for place in found] == ["1", "2 to 3", "2 to 3"]
    assert found[0].gap.estimate == pytest.approx(-0.5)


def test_runs_on_different_data_are_not_ranked() -> None:
    other = [run("other", seed, 2.0, data_hash="e") for seed in range(2)]
    dense = [run("dense", seed, 3.0, data_hash="d") for seed in range(2)]
    with pytest.raises(ValueError, match=r"other: not ranked .*: different data \(d, e\)"):
        places({"dense": dense, "other": other})
    mixed = [dense[0], run("dense", 1, 3.0, data_hash="e")]
    with pytest.raises(ValueError, match=r"dense: not ranked .*: its seeds have 2 data sets"):
        places({"dense": mixed})


def test_a_row_has_costs_and_the_difference_to_the_dense_model() -> None:
    large = [run("large", seed, 2.0 + seed, params_total=8000) for seed in range(2)]
    found = {row[1]: row for row in rows({**runs(dense=[3.0, 4.0]), "large": large})}
    assert found["large"][-2:] == ("8.00 k", "10.0")
    assert found["dense"][3] == ""
    assert found["large"][3].startswith("−1.00")


NOISE = [0.0, 0.5, -0.5]
BOARD = {
    **runs(
        dense=[3.0 + n for n in NOISE],
        close=[3.0 + n + d for n, d in zip(NOISE, [0.1, -0.1, 0.05], strict=True)],
        good=[2.5 + n + d for n, d in zip(NOISE, [0.01, 0.0, -0.01], strict=True)],
    ),
    "lost": [run("lost", 0, 0.0, status="failed", metrics={})],
    "dear": [run("dear", seed, 1.0, flops_per_token=20.0) for seed in range(3)],
}


def test_the_ranking_opens_with_who_leads_how_surely_and_at_what_cost() -> None:
    told = " ".join(opening(places(BOARD)))
    assert told.startswith("good has the lowest validation loss, 2.50 [")
    assert "its difference to the dense model is −0.500 [−0.525, −0.475]." in told
    assert "It beats both others beyond chance." in told
    assert "Of 2 routers with as many FLOPs as the dense model, 1 beats it, 0 lose" in told
    assert "1 is too close to call" in told
    assert "This took 12 runs of 10 steps and 0 s of training" in told
    assert "Not ranked: dear, which differ from the dense model in FLOPs; lost, of which" in told
    better = " ".join(opening(places(runs(dense=[1.0, 1.1], odd=[1.2, 1.0]))))
    assert better.startswith("The dense model has the lowest validation loss")
    assert "no router is below it. It beats no other beyond chance; odd may" in better


@pytest.mark.parametrize("form", FORMS)
def test_the_ranking_is_printed_for_other_programs(form: str) -> None:
    printed = text(BOARD, form)
    assert "good" in printed
    assert "lowest validation loss" not in printed
    assert "None" not in printed
    if form == "csv":
        found = {row["router"]: row for row in csv.DictReader(io.StringIO(printed))}
        assert list(found) == [place.name for place in places(BOARD)]
        assert float(found["good"]["difference"]) == places(BOARD)[0].gap.estimate
        assert (found["good"]["rank_first"], found["good"]["rank_last"]) == ("1", "1")
        assert found["dear"]["rank_first"] == found["dense"]["difference"] == ""


def test_eleven_equal_entries_seldom_get_different_ranks() -> None:
    """In under 5% of the rankings; uncorrected intervals would separate some in most of them."""
    rng = np.random.default_rng(0)
    names = ["dense", *"abcdefghij"]
    told = 0
    for _ in range(200):
        board = runs(**{name: list(rng.normal(3.0, 0.1, 5)) for name in names})
        told += any(place.rank != "1 to 11" for place in places(board))
    assert told <= stats.binom.ppf(0.999, 200, 0.05)


def test_an_entry_that_costs_more_than_the_dense_model_has_no_rank() -> None:
    board = runs(dense=[3.0, 3.1], good=[2.0, 2.1])
    board["dear"] = [run("dear", seed, 1.0, flops_per_token=10.6) for seed in range(2)]
    board["cheap"] = [run("cheap", seed, 1.0, flops_per_token=9.4) for seed in range(2)]
    board["close"] = [run("close", seed, 4.0, flops_per_token=10.4) for seed in range(2)]
    found = {place.name: place.rank for place in places(board)}
    assert list(found) == ["good", "dense", "close", "dear", "cheap"]
    assert found["dear"] == found["cheap"] == "–"
    assert "4" not in "".join(found.values())


def test_an_entry_without_a_run_is_a_row() -> None:
    failed = run("odd", 0, 0.0, status="diverged", metrics={})
    board = {**runs(dense=[3.0, 3.1]), "odd": [failed], "none": []}
    assert [row[:3] for row in rows(board)][1:] == [
        ("–", "odd", "no run finished"),
        ("–", "none", "no run finished"),
    ]
    with pytest.raises(ValueError, match="dense: no run finished"):
        places({"dense": [failed]})


def test_runs_that_failed_are_left_out() -> None:
    failed = run("odd", 0, 0.0, status="diverged", metrics={})
    [odd] = [
        place
        for place in places({**runs(dense=[3.0, 3.1]), "odd": [failed, run("odd", 1, 2.0)]})
        if place.name == "odd"
    ]
    assert odd.loss.n == 1
    assert odd.rank == "1 to 2"


def test_the_committed_table_is_up_to_date() -> None:
    page = leaderboard.PAGE.read_text()
    if not leaderboard.RECORDS.exists():
        assert "No result is committed yet." in page
        return
    records = read(leaderboard.RECORDS)
    assert with_leaderboard(page, records) == page
    found = sheet(places(leaderboard.by_entry(records)))
    assert leaderboard.PAGE.with_name("leaderboard.csv").read_text() == found.csv()
    assert leaderboard.PAGE.with_name("leaderboard.tex").read_text() == found.latex()


def test_the_page_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text(leaderboard.PAGE.read_text())
    monkeypatch.setattr(leaderboard, "PAGE", page)
    monkeypatch.setattr(leaderboard, "RECORDS", tmp_path / "quality.jsonl")
    leaderboard.publish(runs(dense=[3.0, 3.1], Switch=[2.0, 2.2]))
    filled = page.read_text()
    assert "| 1 | Switch | 2.10" in filled.replace("\\", "").replace("1 to 2", "1")
    assert with_leaderboard(filled, read(tmp_path / "quality.jsonl")) == filled
    assert (tmp_path / "leaderboard.csv").read_text().count("\n") == 3
    assert (tmp_path / "leaderboard.tex").exists()
