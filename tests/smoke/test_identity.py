"""A run is what it says it is: other data or an edited router make another one beside it."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from moebench import tracking
from moebench.cli.fit import fit
from moebench.cli.fit_options import FitOptions
from moebench.cli.reproduce import ReproduceOptions, reproduce
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.experiment import load
from moebench.papers import Target
from moebench.papers.claim import Paper
from moebench.papers.plan import Arm, Plan, Profile
from moebench.run.job import Job
from moebench.run.worker import execute

CONFIGS = Path(__file__).parents[1] / "configs" / "tiny_2026"
ROUTER = """
from torch import nn

from moebench.moe.routers import TopK
from their_numbers import SIGN

class TheirRouter(nn.Module):
    def __init__(self, width: int, num_experts: int = 4) -> None:
        super().__init__()
        self.inner = TopK(width, num_experts, 2)
        self.num_experts = num_experts

    def forward(self, x_TD):
        return self.inner(SIGN * x_TD)
"""
SPARSE = {
    "router": {"class_path": "their_router.TheirRouter"},
    "experts": {"class_path": "ReluMLP", "init_args": {"hidden": 16}},
}


class Mute:
    """In the place of MLflow."""

    def open(self, *_: object) -> None:
        """Do nothing."""

    poll = close = open_run = open


@pytest.fixture
def ours(tmp_path: Path, small_text: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a text and a router of somebody's own."""
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tracking, "connect", lambda root: Mute())
    monkeypatch.chdir(tmp_path)
    write_text(tmp_path, small_text, "first", "second")
    (tmp_path / "their_router.py").write_text(ROUTER)
    (tmp_path / "their_numbers.py").write_text("SIGN = 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("their_router", "their_numbers"):  # of another test
        monkeypatch.delitem(sys.modules, name, raising=False)
    return tmp_path


def write_text(folder: Path, small_text: Path, *domains: str) -> None:
    """Replace all files of the text; other domains have other letters."""
    shutil.rmtree(folder / "text", ignore_errors=True)
    for domain in domains:
        (folder / "text" / domain).mkdir(parents=True)
        for path in sorted((small_text / domain).iterdir())[:24]:
            shutil.copy(path, folder / "text" / domain)


def fitted(ours: Path, tiny) -> tuple[Callable[[], RunRecord], Path]:
    """Return what runs `moebench fit` and reads its record, and the folder of its arm."""
    settings = {**tiny.settings(), **changes(ours)}
    experiment = load([CONFIGS / "switch_8.yaml"], settings)
    (ours / "mine.yaml").write_text(experiment.to_yaml())
    arm = ours / "runs" / "fit" / "single" / "mine"

    def run() -> RunRecord:
        assert fit(FitOptions(["--config=mine.yaml"], name="mine", root=ours / "runs")) == 0
        [record] = read(arm / "seed_0" / "record.json")
        return record

    return run, arm


def reproduced(ours: Path, tiny) -> tuple[Callable[..., RunRecord], Path]:
    """Return what runs a reproduction of one arm and reads its record, and its folder."""
    settings = {**tiny.settings(), **changes(ours)}
    plan = Plan([Arm("mine", ["switch_8.yaml"])], [Profile("quick", ["mine"], 1, settings)], {})
    paper = Paper(key="p", title="A paper", authors="", year=2026, arxiv="")
    found = Target(paper, [], plan, CONFIGS, ours / "none.jsonl")

    def run(records: Path | None = None) -> RunRecord:
        options = ReproduceOptions("quick", root=ours / "runs", track=False, records=records)
        reproduce(found, options)
        [record] = read(ours / "runs" / "p" / "quick" / "results.jsonl")
        return record

    return run, ours / "runs" / "p" / "quick" / "mine"


def changes(ours: Path) -> dict[str, object]:
    """Return the settings with the own text and router."""
    return {
        "data.init_args.source": {
            "class_path": "Files",
            "init_args": {"path": str(ours / "text")},
        },
        "model.network.init_args.sparse": SPARSE,
    }


@pytest.mark.parametrize("begin", [fitted, reproduced])
def test_other_data_and_edited_code_are_trained_anew(
    begin: Callable, ours: Path, tiny, small_text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, arm = begin(ours, tiny)
    first = run()
    assert set(first.code) >= {"their_router", "their_numbers"}

    write_text(ours, small_text, "second")
    second = run()
    assert second.data_hash != first.data_hash
    assert second.metrics["valid/loss"] != first.metrics["valid/loss"]

    write_text(ours, small_text, "first", "second")
    (ours / "their_numbers.py").write_text("SIGN = -1.00\n")
    third = run()
    assert (third.data_hash, third.config_hash) == (first.data_hash, first.config_hash)
    assert third.code != first.code
    assert third.metrics["valid/loss"] != first.metrics["valid/loss"]
    assert len(list(arm.glob("earlier/text-*/seed_0/record.json"))) == 2

    (ours / "their_numbers.py").write_text("SIGN = 1.0\n")
    capsys.readouterr()
    assert run() == first, "found again, seconds and all"
    line = capsys.readouterr().out
    assert "runs: 1, finished: 1, to do: 0; finished with different " in line
    assert ": 2 (text), kept in <arm>/earlier/<data>-<identity>" in line
    write_text(ours, small_text, "second")
    assert run() == second


def test_only_the_same_run_is_taken_over_from_elsewhere(
    ours: Path, tiny, small_text: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, arm = reproduced(ours, tiny)
    first = run()
    made = ours / "theirs.jsonl"
    shutil.copy(arm.parent / "results.jsonl", made)
    shutil.rmtree(ours / "runs")
    capsys.readouterr()
    assert run(made) == first, "seconds and all"
    assert f"{made}: 1 taken over\n" in capsys.readouterr().out
    assert run(made) == first
    assert f"{made}: 1 here already\n" in capsys.readouterr().out

    write_text(ours, small_text, "second")
    assert run(made).data_hash != first.data_hash
    assert f"{made}: 1 with different data\n" in capsys.readouterr().out


def test_data_that_change_before_the_run_begins_end_it(ours: Path, tiny, small_text: Path) -> None:
    asked = load([CONFIGS / "switch_8.yaml"], {**tiny.settings(), **changes(ours)})
    job = Job("t", "p", "arm", 0, asked, ours / "runs" / "arm" / "seed_0").prepared()
    write_text(ours, small_text, "second")
    assert execute(job, []).status == "failed"
    assert "data: changed after the run was asked for" in (job.folder / "error.txt").read_text()


def test_code_that_changes_before_the_run_begins_ends_it(ours: Path, tiny) -> None:
    asked = load([CONFIGS / "switch_8.yaml"], {**tiny.settings(), **changes(ours)})
    job = Job("t", "p", "arm", 0, asked, ours / "runs" / "arm" / "seed_0").prepared()
    assert "their_numbers" in job.experiment.code
    (ours / "their_numbers.py").write_text("SIGN = -1.00\n")
    assert execute(job, []).status == "failed"
    assert "their_numbers changed" in (job.folder / "error.txt").read_text()
