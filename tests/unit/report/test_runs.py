"""Runs as figures need them: bands, losses, loads."""

from pathlib import Path

import numpy as np
import pytest

from moebench.evidence.record_files import read_history
from moebench.report.paper.runs import (
    Run,
    bands,
    load,
    load_maps,
    logged,
    losses,
    representative,
)

from .fakes import history, record


def test_a_band_holds_mean_and_range_at_shared_steps() -> None:
    first = record("a", 0, metrics={"valid/loss@2": 4.0, "valid/loss@4": 3.0, "valid/loss@0": 9.0})
    second = record(
        "a", 1, metrics={"valid/loss@4": 2.0, "valid/loss@6": 1.0}, tokens_per_second=25.0
    )
    never = record("a", 2, status="diverged")
    found = bands([Run(first), Run(second), Run(never)], losses)["a"]
    assert (found.step.tolist(), found.mean.tolist()) == ([4.0], [2.5])
    assert (found.low.tolist(), found.high.tolist()) == ([2.0], [3.0])
    assert (found.seeds, found.seconds_per_step) == (
        2,
        3.0,
    )  # 100 tokens a step at 50 and at 25 a second


def test_losses_come_from_the_history_where_the_record_has_none() -> None:
    lines: list[dict[str, float]]
    lines = [{"step": 0, "valid/loss": 8.0}, {"step": 5, "valid/loss": 2.0}, {"step": 7}]
    assert losses(Run(record("a", metrics={}), lines)) == {5: 2.0}
    assert logged(Run(record("a"), lines), "valid/loss") == {0: 8.0, 5: 2.0}


def test_runs_without_a_shared_step_have_no_band() -> None:
    first, second = ({"valid/loss@2": 4.0}, {"valid/loss@3": 4.0})
    runs = [Run(record("a", 0, metrics=first)), Run(record("a", 1, metrics=second))]
    assert bands(runs, losses) == {}


def test_a_line_cut_short_is_left_out_and_a_bad_one_named(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    path.write_text('{"step": 4}\n{"step": 2}\n{"ste')
    assert read_history(path) == [{"step": 4}, {"step": 2}]
    path.write_text('{"step": 4}\n{"time": 2}\n')
    with pytest.raises(ValueError, match=r"history\.jsonl:2: not a line of a history"):
        read_history(path)
    assert read_history(tmp_path / "none.jsonl") == []


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"results\.jsonl"):
        load(tmp_path)


def test_load_maps_are_ordered_by_layer() -> None:
    lines = [
        {"step": 0, "load/10/0": 0.25, "load/10/1": 0.75, "load/2/0": 1.0},
        {"step": 3, "train/loss": 1.0},
        {"step": 4, "load/10/1": 0.5, "load/2/0": 1.0},
    ]
    two, ten = load_maps(Run(record("a"), lines))
    assert (two.layer, ten.layer) == ("2", "10")
    assert ten.step.tolist() == [0.0, 4.0]
    np.testing.assert_array_equal(ten.share_SE, [[0.25, 0.75], [np.nan, 0.5]])


def test_the_representative_run_finished_and_has_loads() -> None:
    lines = history(2)
    runs = [
        Run(record("a", 0, status="diverged"), lines),
        Run(record("a", 1)),
        Run(record("a", 3), lines),
        Run(record("a", 2), lines),
        Run(record("b", 0, status="diverged"), lines),
    ]
    assert {arm: run.record.seed for arm, run in representative(runs).items()} == {"a": 2, "b": 0}
