"""The page of a sweep: what each figure must show, from a summary written by hand."""

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup

from moebench import report
from moebench.report.sweep import figures as sweep_figures
from moebench.report.sweep import name_figures as sweep_names
from moebench.report.sweep import page as sweep_page
from moebench.report.sweep.figures import front, levels
from moebench.report.sweep.page import dense, reach, rows, sweep_plots, write_plots
from moebench.report.sweep.summary import Summary, read_summary

from .fakes import smallest_text

FACTORS, WEIGHTS = (1.0, 1.25, 2.0), (0.001, 0.1)


def content(**changes: Any) -> dict[str, Any]:
    """A grid of six trials; the loss falls with the factor and rises with the weight."""
    points = [(factor, weight) for factor in FACTORS for weight in WEIGHTS]
    trials = [
        {
            "number": number,
            "point": {"factor": factor, "weight": weight},
            "status": "finished",
            "why": "",
            "cached_from": None,
            "values": {
                "valid/loss": 4.0 - factor / 2 + weight,
                "seconds_per_step": factor / 100,
                "route/dropped": 0.5 - factor / 5,
            },
        }
        for number, (factor, weight) in enumerate(points)
    ]
    return {
        "name": "mine",
        "objectives": {"valid/loss": "minimize"},
        "sampler": "GridSampler",
        "pruner": "NopPruner",
        "surface": ["factor", "weight"],
        "publishable": True,
        "space": {
            "factor": {"key": "a.b", "values": list(FACTORS), "log": False},
            "weight": {"key": "c.d", "values": list(WEIGHTS), "log": False},
        },
        "seeds": 1,
        "best": 4,
        "trials": trials,
        "baselines": {
            "dense_active_flops": {"valid/loss": 3.4, "seconds_per_step": 0.01},
            "dense_step_time": {"valid/loss": 2.0, "seconds_per_step": 0.015},
        },
        "fresh": [
            {
                "arm": "trial_4",
                "in_sweep": 3.0,
                "n": 3,
                "failed": 1,
                "chosen_from": 40,
                "mean": 3.1,
                "low": 3.0,
                "high": 3.2,
                "gap": 0.1,
                "costs": {"params_total": 1e6, "flops_per_token": 2e5, "seconds_per_step": 0.02},
            }
        ],
        "importances": {"factor": {"share": 0.8, "low": 0.6, "high": 0.9}},
        **changes,
    }


def page(folder: Path, **changes: Any) -> str:
    """Write the summary and its page."""
    (folder / "sweep.json").write_text(json.dumps(content(**changes)))
    return report.write_sweep(folder).read_text()


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a page its words, as drawing is nearly all the time that one takes."""
    monkeypatch.setattr(sweep_page, "sweep_plots", lambda summary: {"surface": Markup("<svg/>")})


def test_the_front_is_what_no_other_point_beats() -> None:
    x, y = np.array([1.0, 2.0, 3.0, 1.0, 2.5]), np.array([5.0, 3.0, 4.0, 6.0, 3.0])
    assert front(x, y) == [0, 1]


def test_a_surface_shows_every_cell_and_the_dense_level() -> None:
    drawn = sweep_figures.surface(Summary(content()))
    for factor in FACTORS:
        for weight in WEIGHTS:
            assert f">{4.0 - factor / 2 + weight:.3f}" in drawn
    assert "dense, equal active FLOPs" in drawn
    assert "dense, equal step time" not in drawn, "its level lies below every trial"


def test_a_cell_without_a_value_is_crossed_out() -> None:
    given = content()
    given["trials"][0] |= {"status": "diverged", "values": {}}
    drawn = sweep_figures.surface(Summary(given))
    assert "✕" in drawn
    assert "dense, equal active FLOPs" in drawn, "the other cells still have a contour"


RANGES = {
    "factor": {"key": "a.b", "values": [], "log": False},
    "weight": {"key": "c.d", "values": [], "log": False},
}


def test_a_contour_does_not_cross_a_number_out() -> None:
    """Every number stands on the page's colour, drawn after the contour."""
    drawn = sweep_figures.surface(Summary(content()))
    _, _, numbers = drawn.partition("var(--arm-3)")
    grounds = numbers.count("fill: var(--page); opacity: 0.75")
    assert grounds == len(content()["trials"])


def test_points_without_a_triangle_have_no_contour() -> None:
    """A range of one value: the trials lie on a line."""
    given = content(space=RANGES, sampler="QMCSampler")
    assert "dense, equal active FLOPs" in sweep_figures.surface(Summary(given))
    for trial in given["trials"]:
        trial["point"] = {"factor": 1.0, "weight": trial["number"] / 3}
    drawn = sweep_figures.surface(Summary(given))
    assert drawn.startswith("<svg")
    assert "dense" not in drawn


def test_fronts_are_of_the_objectives_and_of_time_and_drops() -> None:
    """With the sense of each: the highest speed is the better one."""
    wanted = {"valid/loss": "minimize", "speed": "maximize", "a/x": "minimize", "b/x": "minimize"}
    given = content(objectives=wanted)
    for trial in given["trials"]:
        trial["values"]["speed"] = 1 / trial["values"]["seconds_per_step"]
        trial["values"] |= {"a/x": trial["number"], "b/x": -trial["number"]}
    plots = sweep_plots(Summary(given))
    assert {name for name in plots if name.startswith("pareto_")} == {
        "pareto_speed",
        "pareto_a_x",
        "pareto_b_x",
        "pareto_seconds_per_step",
        "pareto_route_dropped",
    }
    told = plots["pareto_speed"].partition("the front is trials ")[2].partition("<")[0]
    assert {int(number) for number in told.split('"')[0].split(", ")} == {0, 2, 4}
    for trial in given["trials"]:
        trial["values"]["route/dropped"] = 0.0
    assert sweep_figures.pareto(Summary(given), "route/dropped", "share dropped") is None


def test_a_baseline_without_a_result_lends_its_cost_to_no_other() -> None:
    without, full = {"seconds_per_step": 9.0}, {"valid/loss": 3.2, "seconds_per_step": 0.015}
    with_both = content(baselines={"dense_active_flops": without, "dense_step_time": full})
    alone = content(baselines={"dense_step_time": full})
    points = [
        sweep_figures.pareto(Summary(given), "seconds_per_step", "seconds").count("<use")
        for given in (with_both, alone)
    ]
    axis = sweep_figures.pareto(Summary(with_both), "seconds_per_step", "seconds")
    assert points[0] == points[1]
    assert ">8<" not in axis, "no mark at 9 seconds stretches the axis"


def test_the_last_axis_reaches_to_the_dense_baselines() -> None:
    lowest = ">3.001<"  # of the trials; a dense level is 2
    assert lowest in sweep_names.parallel(Summary(content(baselines={})))
    assert lowest not in sweep_names.parallel(Summary(content()))


@pytest.mark.usefixtures("undrawn")
def test_without_baselines_none_are_spoken_of(tmp_path: Path) -> None:
    assert "dense baseline" in page(tmp_path).partition("Surface</h2>")[2]
    assert "dense baseline" not in page(tmp_path, baselines={}).partition("Surface</h2>")[2]


@pytest.mark.usefixtures("undrawn")
def test_the_figures_and_the_table_have_the_dense_baselines(tmp_path: Path) -> None:
    summary = Summary(content())
    for name, drawn in sweep_plots(summary).items():
        assert name == "importances" or "dense, equal active FLOPs" in drawn
    written = page(tmp_path)
    assert ">dense step time</th>" in written


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("points", "trials", "said"), [(1, 6, True), (41, 6, False), (1, 1, False)]
)
def test_untuned_dense_models_are_told(
    points: int, trials: int, said: bool, tmp_path: Path
) -> None:
    given = content()
    dense = {**given["fresh"][0], "arm": "dense_step_time", "chosen_from": points}
    some = {"trials": given["trials"][:trials], "best": 0}
    written = page(tmp_path, fresh=[*given["fresh"], dense], **some)
    assert ("The dense models were not tuned" in written) == said
    assert ("the dense models were not tuned" in report.sweep_table(tmp_path)) == said


@pytest.mark.usefixtures("undrawn")
def test_levels_are_told(tmp_path: Path) -> None:
    assert dense(Summary(content())) == [
        "dense, equal active FLOPs: 3.400",
        "dense, equal step time: 2.000, below every trial",
    ]
    assert reach(Summary(content())) == "3.001 to 3.600"
    assert "below every trial" in page(tmp_path)


@pytest.mark.usefixtures("undrawn")
def test_a_surface_of_another_sampler_is_not_for_publication(tmp_path: Path) -> None:
    assert "Not a surface to publish" not in page(tmp_path)
    assert "Not a surface to publish: TPESampler" in page(
        tmp_path, sampler="TPESampler", publishable=False
    )


def test_log_axes_have_plain_numbers() -> None:
    space = {
        "factor": {"key": "a.b", "values": [], "log": False},
        "weight": {"key": "c.d", "values": [], "log": True},
    }
    drawn = sweep_figures.surface(Summary(content(space=space, sampler="TPESampler")))
    assert "mathdefault" not in drawn
    assert ">0.01<" in drawn


def test_a_log_axis_shorter_than_a_power_of_ten_has_plain_numbers() -> None:
    space = {
        name: {"key": name, "values": [], "log": name == "weight"} for name in ("factor", "weight")
    }
    given = content(space=space, sampler="TPESampler")
    for trial in given["trials"]:
        trial["point"]["weight"] = 0.002 + 0.001 * trial["number"]
    drawn = sweep_figures.surface(Summary(given))
    assert "mathdefault" not in drawn
    assert ">0.005<" in drawn


def test_points_at_the_ends_are_not_cut_by_a_contour() -> None:
    space = {name: {"key": name, "values": [], "log": False} for name in ("factor", "weight")}
    drawn = sweep_figures.surface(Summary(content(space=space, sampler="QMCSampler")))
    assert "dense, equal active FLOPs" in drawn
    left = re.findall(r"M ([\d.]+)", drawn)[1]  # of the frame, after that of the figure
    [least] = re.findall(r' x="([\d.]+)"[^>]*>1.0</text>', drawn)
    assert float(least) > float(left) + 5


def test_winner_and_baselines_stand_with_their_gap() -> None:
    [row] = rows(Summary(content()))
    assert row[:4] == ["trial 4", "40", "3.0000", "3.1000"]
    assert row[4:7] == ["[3.00, 3.20]", "+0.1000", "3 (1 failed)"]


def test_a_cost_that_is_not_as_planned_says_so() -> None:
    off = {"flops_per_token": 1.2}
    [row] = rows(Summary(content(fresh=[{**content()["fresh"][0], "off_plan": off}])))
    assert row[7:] == ["1.00 M", "200 k (×1.2 of plan)", "0.0200"]


def test_a_small_objective_keeps_its_digits() -> None:
    small = {"in_sweep": 3e-4, "mean": 3.1e-4, "low": 3.0e-4, "high": 3.2e-4, "gap": 1e-5}
    [row] = rows(Summary(content(fresh=[{**content()["fresh"][0], **small}])))
    assert row[2:6] == ["0.000300", "0.000310", "[0.000300, 0.000320]", "+0.000010"]
    one = {**small, "low": None, "high": None}
    [row] = rows(Summary(content(fresh=[{**content()["fresh"][0], **one}])))
    assert row[2:6] == ["0.000300", "0.000310", "", "+0.000010"]


def test_yes_and_no_are_no_numbers(tmp_path: Path) -> None:
    given = content()
    given["space"]["factor"]["values"] = [True, False]
    for trial in given["trials"]:
        trial["point"]["factor"] = trial["number"] % 2 == 0
    written = page(tmp_path, space=given["space"], trials=given["trials"])
    assert "<td>True</td>" in written
    assert "factor True, weight 0.001" in written


@pytest.mark.parametrize("objective", ["minimize", "maximize"])
def test_every_figure_is_drawn_in_both_directions(
    objective: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objectives = {"valid/loss": objective}
    plots = sweep_plots(Summary(content(objectives=objectives)))
    costs = {"pareto_seconds_per_step", "pareto_route_dropped"}
    assert set(plots) == {"surface", *costs, "importances", "parallel", "history"}
    assert all(plot.startswith("<svg") for plot in plots.values())
    assert smallest_text("".join(plots.values())) >= 10
    monkeypatch.setattr(sweep_page, "sweep_plots", lambda summary: plots)  # drawn once is enough
    assert page(tmp_path, objectives=objectives).count("<svg") == len(plots)


def test_a_sweep_in_which_nothing_finished_has_a_page(tmp_path: Path) -> None:
    trials = [{**t, "status": "out_of_memory", "values": {}} for t in content()["trials"]]
    written = page(tmp_path, trials=trials, best=None, fresh=[], importances={})
    assert "<svg" not in written
    assert "<b>6</b> out of memory" in written
    assert "nothing here may be compared" in written
    assert "6 out_of_memory" in report.sweep_table(tmp_path)


@pytest.mark.usefixtures("undrawn")
def test_the_page_escapes_what_it_is_given(tmp_path: Path) -> None:
    assert "<script>" not in page(tmp_path, name="<script>")


def test_dense_levels_have_names() -> None:
    assert [name for name, _, _ in levels(Summary(content()))] == [
        "dense, equal active FLOPs",
        "dense, equal step time",
    ]


def test_without_a_summary_it_says_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="moebench sweep"):
        read_summary(tmp_path)


def test_plots_are_files_of_their_own(tmp_path: Path) -> None:
    write_plots(Summary(content()), tmp_path / "plots")
    paths = sorted((tmp_path / "plots").iterdir())
    assert "surface.svg" in [path.name for path in paths]
    for path in paths:
        text = path.read_text()
        root = ElementTree.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "var(" not in text


LEAK = "† causal, but its routing depends on more than the tokens so far: "


def sweep(folder: Path, trial: str, fresh: str) -> str:
    """A folder of a sweep of which one trial that lost and the winner leak; its page."""
    given: dict[str, Any] = content()
    given["trials"][0]["leaks"] = trial
    given["fresh"][0]["leaks"] = fresh
    (folder / "sweep.json").write_text(json.dumps(given))
    return report.write_sweep(folder).read_text()


@pytest.mark.usefixtures("undrawn")
def test_trials_and_the_winner_of_a_sweep(tmp_path: Path) -> None:
    written = sweep(tmp_path, "later tokens", "other sequences")
    winner, trials = written.partition('<h2 id="trials">')[::2]
    assert '<th scope="row">trial 4†</th>' in winner
    assert '<th scope="row">0†</th>' in trials
    assert '<th scope="row">1</th>' in trials
    assert f"{LEAK}later tokens, other sequences." in winner
    assert f"{LEAK}later tokens, other sequences." in trials
    assert "†" not in sweep(tmp_path, "", "")


@pytest.mark.usefixtures("undrawn")
def test_the_winner_of_a_sweep_on_a_terminal(tmp_path: Path) -> None:
    sweep(tmp_path, "", "unknown")
    lines = report.sweep_table(tmp_path).splitlines()
    assert any(line.startswith("trial 4†  ") for line in lines)
    assert lines[-1] == f"{LEAK}unknown"
    sweep(tmp_path, "", "")
    assert "†" not in report.sweep_table(tmp_path)


TEXT = {"data/overlap": 0.0123, "data/overlap/art": 0.0, "data/overlap/law": 0.0456}
SAID = (
    "Validation text that the training text has too, in stretches of 32 tokens: "
    "1.23% (art 0.00%, law 4.56%)"
)


@pytest.mark.usefixtures("undrawn")
def test_the_overlap_of_the_splits_is_reported(tmp_path: Path) -> None:
    for shares, said in ([TEXT], True), ([], False):
        (tmp_path / "sweep.json").write_text(json.dumps(content(overlaps=shares)))
        assert (f"{SAID}." in report.write_sweep(tmp_path).read_text()) == said
        assert (SAID in report.sweep_table(tmp_path).splitlines()) == said
