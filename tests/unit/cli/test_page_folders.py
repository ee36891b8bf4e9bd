"""Where pages are kept: what was asked for tells them apart."""

from pathlib import Path

from moebench.cli.options import CHOICES, parser
from moebench.cli.page_folders import analysis_folder, comparison_folder
from moebench.data.sources import Files, Packages

NOTHING = {"tokens": None, "length": None}


def test_an_analysis_is_named_after_model_text_and_numbers(tmp_path: Path) -> None:
    root, model = tmp_path / "runs", tmp_path / "runs" / "paper" / "quick" / "arm" / "seed_0"
    text = tmp_path / "mine.txt"
    text.write_text("a text\n")

    def name(place: Path, source: Files | Packages | None = None, **numbers: int) -> str:
        found = analysis_folder(root, place, source, {**NOTHING, **numbers})
        assert found.parent == root / "analysis"
        return found.name

    assert name(model) == "paper-quick-arm-seed_0"
    assert name(model, Files(str(text))) == "paper-quick-arm-seed_0-on-mine.txt"
    assert name(model, Packages(), tokens=9, length=3) == (
        "paper-quick-arm-seed_0-on-Packages-tokens_9-length_3"
    )
    assert name(tmp_path / "checkpoints" / "step_7") == "checkpoints-step_7"


def test_a_comparison_is_named_after_what_was_chosen(tmp_path: Path) -> None:
    nothing = {"target": "", "profile": "", "tag": [], "records": None, "all": False}
    assert comparison_folder(tmp_path, nothing) == tmp_path / "compare"
    some = {"target": "tiny", "tag": ["best=true", "a=b/c"], "records": Path("x/results.jsonl")}
    assert comparison_folder(tmp_path, {**nothing, **some}) == (
        tmp_path / "compare" / "target_tiny-tag_best=true-tag_a=b_c-records_x_results.jsonl"
    )
    assert comparison_folder(tmp_path, {**nothing, "all": True}).name == "all"
    more = {"metric": "route/dropped", "all": True}
    assert comparison_folder(tmp_path, {**nothing, **more}).name == "all-metric_route_dropped"


def test_a_long_choice_is_cut_and_still_its_own(tmp_path: Path) -> None:
    names = {
        comparison_folder(tmp_path, {"records": Path("a/long/path" * 40 + end)}).name
        for end in ("1", "2")
    }
    assert len(names) == 2
    assert all(len(name) < 200 and name.startswith("records_a_long_path") for name in names)


def test_every_option_that_changes_a_comparison_is_in_the_name_of_its_folder() -> None:
    given = vars(parser().parse_args(["compare"]))
    assert set(given) - {"command", "root", "out", "format"} == {*CHOICES, "metric"}
