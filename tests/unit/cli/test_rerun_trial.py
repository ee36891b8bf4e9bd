"""The trial of a sweep is known by its point, and by the hash in its record."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from moebench.cli.rerun.trial import of_trial
from moebench.experiment import load
from moebench.experiment.precision import FULL, HALF
from moebench.papers import Target
from moebench.papers.claim import Paper
from moebench.papers.plan import Plan, Profile
from moebench.papers.settings import FASTER, PRECISION
from moebench.testing.verdicts import run

MIXTURE = Path(__file__).parents[2] / "configs" / "tiny_2026" / "switch_8.yaml"
SWEEP = """
experiment: {mixture}
settings: {{trainer.max_steps: 8, trainer.val_check_interval: 4}}
space:
  weight: {{key: model.losses.0.weight, values: [0.5, 0.25]}}
objectives: {{valid/loss: minimize}}
sampler: GridSampler
seeds: 1
fresh_seeds: 0
baselines: []
"""


@pytest.fixture
def found(tmp_path: Path) -> Target:
    (tmp_path / "grid.yaml").write_text(SWEEP.format(mixture=os.path.relpath(MIXTURE, tmp_path)))
    profile = Profile("full", [], 1, {PRECISION: FASTER}, sweeps={"grid": {}})
    paper = Paper(key="x", title="", authors="", year=2020, arxiv="")
    plan = Plan([], [profile], {}, sweeps={"grid": "grid.yaml"})
    return Target(paper, [], plan, tmp_path, Path())


@pytest.mark.parametrize("precision", [HALF, FULL])
def test_the_precision_of_the_recorded_hash_is_taken(found: Target, precision: str) -> None:
    """Whatever this machine is fast at, and though the record is older than a key."""
    settings = {"trainer.max_steps": 8, "trainer.val_check_interval": 4, PRECISION: precision}
    weight = {"model.losses": [{"loss": "LoadBalance", "weight": 0.25}]}
    then = load([MIXTURE], {**settings, **weight})
    model = {key: value for key, value in then.config["model"].items() if key != "router_rate"}
    older = replace(then, config={**then.config, "model": model})
    record = run("grid/0.25", config_hash=older.hash)
    experiment, how = of_trial(found, found.plan.profiles[0], record)
    assert experiment.hash == then.hash
    assert how.endswith("but for model.router_rate, which was added later and changes nothing")


def test_a_trial_of_another_hash_says_so(found: Target) -> None:
    record = run("grid/0.25", config_hash="another", commit="abc+")
    _, how = of_trial(found, found.plan.profiles[0], record)
    assert "does not have the recorded hash (`git checkout abc` has the sweep of then)" in how
    with pytest.raises(ValueError, match="the sweep grid has no such point any more"):
        of_trial(found, found.plan.profiles[0], run("grid/0.3"))
