"""The ranking of routers: which costs are equal, and how ranks follow from differences."""

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from benchmarks import leaderboard
from benchmarks.leaderboard import places, rows, with_leaderboard
from moebench.evidence.record_files import read

from .fakes import run, runs


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
    assert found["large"][3].startswith("−1.000")


def test_eleven_equal_entries_seldom_get_different_ranks() -> None:
    """In under 5% of the rankings; uncorrected intervals would separate some in most of them."""
    rng = np.random.default_rng(0)
    names = ["dense", *"abcdefghij"]
    told = 0
    for _ in range(80):
        board = runs(**{name: list(rng.normal(3.0, 0.1, 5)) for name in names})
        told += any(place.rank != "1 to 11" for place in places(board))
    assert told <= stats.binom.ppf(0.999, 80, 0.05)


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
    text = leaderboard.PAGE.read_text()
    if leaderboard.RECORDS.exists():
        assert with_leaderboard(text, read(leaderboard.RECORDS)) == text
    else:
        assert "No result is committed yet." in text


def test_the_page_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text(leaderboard.PAGE.read_text())
    monkeypatch.setattr(leaderboard, "PAGE", page)
    monkeypatch.setattr(leaderboard, "RECORDS", tmp_path / "quality.jsonl")
    leaderboard.publish(runs(dense=[3.0, 3.1], Switch=[2.0, 2.2]))
    text = page.read_text()
    assert "| 1 | Switch | 2.100" in text.replace("\\", "").replace("1 to 2", "1")
    assert with_leaderboard(text, read(tmp_path / "quality.jsonl")) == text
