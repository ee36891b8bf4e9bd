"""Two runs of one arm and seed side by side: what is the same, what is noise, what is not."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moebench.cli.rerun import Sameness, job_of
from moebench.cli.rerun.alike import compared
from moebench.cli.rerun.answer import told
from moebench.cli.rerun.asked import Asked, asked_for
from moebench.cli.rerun.environment import Change, changes, differing
from moebench.evidence.record import RunRecord
from moebench.experiment import Experiment
from moebench.papers import Target
from moebench.papers.claim import Paper
from moebench.papers.plan import Plan
from moebench.run.function import Function
from moebench.testing import verdicts


def run(seed: int, loss: float, **changed: Any) -> RunRecord:
    """A run of the arm `a`."""
    return replace(verdicts.run("a", seed, loss, metrics={"route/dead": 0.0}), **changed)


# A standard deviation of 0.1 over the three other seeds. Student's t with 2 degrees of freedom has
# 97.5% of its mass below 4.302653, so two seeds are 0.1 * sqrt(2) * 4.302653 = 0.60849 apart at
# the most.
ARM = [run(0, 1.0), run(1, 1.1), run(2, 0.9), run(3, 1.0)]
NOISE = 0.1 * math.sqrt(2) * 4.302653


@pytest.mark.parametrize(
    ("now", "word"),
    [
        (run(0, 1.0), Sameness.IDENTICAL),
        (run(0, 1.0, seconds=9.0, commit="def", flops_per_token=1.0), Sameness.IDENTICAL),
        (run(0, 1.0 + 1e-12), Sameness.WITHIN),
        (run(0, 1.0 - NOISE * 0.999), Sameness.WITHIN),
        (run(0, 1.0 + NOISE * 1.001), Sameness.DIFFERENT),
        (run(0, 1.0, steps=8), Sameness.DIFFERENT),
        (run(0, 1.0, params_total=6), Sameness.DIFFERENT),
        (run(0, 1.0, status="diverged"), Sameness.DIFFERENT),
        (run(0, 1.0, status="failed", metrics={}), Sameness.DIFFERENT),
        (run(0, 1.0, metrics={"route/dead": 0.0}), Sameness.DIFFERENT),
        # What no claim is judged by may differ, though it is no longer identical then.
        (run(0, 1.0, metrics={"valid/loss": 1.0, "route/dead": 0.5}), Sameness.WITHIN),
        (run(0, 1.0, metrics={"valid/loss": 1.0, "route/dead": 0.0, "new": 1.0}), "identical"),
    ],
)
def test_words(now: RunRecord, word: str) -> None:
    found = compared(ARM[0], now, ARM, {"valid/loss"})
    assert found.word == word
    assert found.deciding[0].noise == pytest.approx(NOISE, rel=1e-5)


def test_several_deciding_numbers_are_allowed_their_chances() -> None:
    """With two, each may be 2.5% of the time beyond its noise: t of 98.75%, 6.205347."""
    arm = [replace(one, metrics={**one.metrics, "b": float(one.seed)}) for one in ARM]
    found = compared(arm[0], arm[0], arm, {"valid/loss", "b"})
    assert [one.name for one in found.deciding] == ["valid/loss", "b"]
    assert found.deciding[0].noise == pytest.approx(0.1 * math.sqrt(2) * 6.205347, rel=1e-5)
    assert [one.name for one in found.others] == ["route/dead"]


def test_without_a_spread_it_is_rounding() -> None:
    few = ARM[:3]
    assert compared(few[0], run(0, 1.0 + 9e-6), few, {"valid/loss"}).word is Sameness.WITHIN
    found = compared(few[0], run(0, 1.0 + 2e-5), few, {"valid/loss"})
    assert found.word is Sameness.DIFFERENT
    assert found.noise.startswith("rounding, 1e-05 of a number")
    assert "by the spread between its 3 other seeds" in compared(ARM[0], ARM[0], ARM, set()).noise
    # A number that all seeds have alike has no spread either.
    arm = [replace(one, metrics={"a": 2.0}) for one in ARM]
    assert compared(arm[0], replace(arm[0], metrics={"a": 2.00001}), arm, {"a"}).word == "equal" + (
        " within noise"
    )


def test_a_run_that_no_claim_judges_is_compared_in_all_its_numbers() -> None:
    now = run(0, 1.0, metrics={"valid/loss": 1.0, "route/dead": 0.5})
    assert compared(ARM[0], now, ARM, {"accuracy"}).word is Sameness.DIFFERENT


def test_a_time_that_no_claim_judges_decides_nothing() -> None:
    then, now = (run(0, 1.0, metrics={"error": 0.25, "seconds": time}) for time in (2.0, 3.0))
    assert compared(then, now, [then], set()).word is Sameness.IDENTICAL
    assert compared(then, now, [then], {"seconds"}).word is Sameness.DIFFERENT


def test_a_recorded_number_does_not_vouch_for_itself() -> None:
    """Were it part of the spread, any number at all would be within it."""
    wrong = [run(0, 99.0), *ARM[1:]]
    assert compared(wrong[0], run(0, 1.0), wrong, {"valid/loss"}).word is Sameness.DIFFERENT


def test_seeds_that_did_not_finish_are_no_noise() -> None:
    failed = run(4, 99.0, status="diverged")
    assert compared(ARM[0], ARM[0], [*ARM, failed], set()).seeds == 3


def test_what_differs_in_the_environment_is_listed() -> None:
    then = run(
        0,
        1.0,
        commit="abc",
        versions={"torch": "2.1", "numpy": "2"},
        hardware={"processor": "A", "threads": 1},
        precision="32-true",
        data_hash="d" * 64,
    )
    now = replace(
        then,
        commit="abc+",
        versions={"torch": "2.2", "numpy": "2"},
        hardware={"processor": "A", "threads": 2, "model": "stepping 1"},
        precision="bf16-mixed",
        data_version=2,
        source="5eed",
        code={"their_pkg": "1"},
    )
    assert changes(then, now) == [
        Change("commit", "abc", "abc+"),
        Change("source of moebench", "not recorded", "5eed"),
        Change("version of torch", "2.1", "2.2"),
        Change("threads", "1", "2"),
        Change("precision", "32-true", "bf16-mixed"),
        Change("data", "dddddddddddd, version 1", "dddddddddddd, version 2"),
        Change("code their_pkg", "not recorded", "1"),
        Change("model", "not recorded", "stepping 1"),
    ]
    assert changes(then, then) == []
    lines = told(compared(then, now, ARM, {"valid/loss"}), changes(then, now), now, "")
    text = "\n".join(lines)
    assert "version of torch            2.1" in text
    assert text.endswith("not recorded then: source of moebench, model, the code of 1 module")


def test_settings_that_differ_are_named() -> None:
    one = {"model": {"width": 8, "losses": [{"weight": 0.1}], "none": None}}
    other = {"model": {"width": 16, "losses": [{"weight": 0.1}, {"weight": 1}], "none": None}}
    assert differing(one, other) == [
        Change("model.width", "8", "16"),
        Change("model.losses.1.weight", "absent", "1"),
    ]
    then, now = run(0, 1.0, config=one), run(0, 1.0, config=other, config_hash="other")
    assert Change("model.width", "8", "16") in changes(then, now)
    assert differing(one, one) == []


def test_a_rerun_has_a_folder_of_its_own_for_each_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one of threads or code would go on with half a run of the first."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    asked = Asked(Function("math:sqrt"), 0, "")
    first = job_of(ARM[0], asked, tmp_path).folder
    assert job_of(ARM[0], asked, tmp_path).folder == first
    assert first.is_relative_to(tmp_path / "rerun" / "x" / "full" / "a" / "0")
    # Neither `track` nor `compare` looks there: they read <target>/<profile>/<arm>/seed_<n>.
    assert not list(tmp_path.glob("*/*/*/seed_*"))
    monkeypatch.setattr(Function, "source", "edited")
    asked = Asked(Function("math:sqrt"), 0, "")
    assert job_of(ARM[0], asked, tmp_path).folder != first
    monkeypatch.undo()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert job_of(ARM[0], asked, tmp_path).folder != first


def test_a_run_that_fails_again_is_not_the_same() -> None:
    failed = run(0, 1.0, status="failed", metrics={})
    found = compared(failed, failed, [failed], set())
    assert (found.word, found.counts) == ("different", {"status": ("failed", "failed")})


@pytest.mark.parametrize("arm", ["../../../../elsewhere", "/elsewhere"])
def test_a_record_cannot_name_a_folder_elsewhere(tmp_path: Path, arm: str) -> None:
    with pytest.raises(ValueError, match="names no folder under"):
        job_of(run(0, 1.0, arm=arm), Asked(Function("math:sqrt"), 0, ""), tmp_path)


def test_a_recorded_configuration_has_its_hash_again() -> None:
    config = {"seed_everything": 3, "data": {"class_path": "D", "init_args": {"seed": 3}}}
    experiment = Experiment(config)
    record = run(3, 1.0, config=config, config_hash=experiment.hash)
    again = RunRecord.from_json(record.to_json())
    assert Experiment(again.config).hash == record.config_hash


@pytest.mark.parametrize("reference", ["no_such_module:f", "math:no_such_function"])
def test_a_function_that_is_gone_is_refused(reference: str) -> None:
    paper = Paper(key="x", title="", authors="", year=2020, arxiv="")
    found = Target(paper, [], Plan([], [], {}, computed={"a": reference}), Path(), Path())
    with pytest.raises(ValueError, match="which is not there"):
        asked_for(found, run(0, 1.0))


def test_what_is_furthest_apart_is_shown_first() -> None:
    names = [f"m{number:02}" for number in range(20)]
    arm = [run(seed, 1.0, metrics=dict.fromkeys(names, 1.0 + seed / 10)) for seed in range(4)]
    now = replace(arm[0], metrics={name: 1.0 + float(n) for n, name in enumerate(names)})
    lines = told(compared(arm[0], now, arm, set(names)), [], now, "")
    shown = [line.split()[0] for line in lines if line.startswith("m")]
    assert shown == [*reversed(names)][:12]
    assert "and 8 more numbers, none further apart in units of noise" in lines
