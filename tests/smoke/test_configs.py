"""Every configuration of every paper builds, trains two steps and leaves a valid record."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from moebench.evidence.record_files import read
from moebench.experiment.trainer_options import check_options
from moebench.papers import Target, targets
from moebench.papers.plan import Arm
from moebench.run.job import Job
from moebench.run.plan_jobs import load_arm
from moebench.run.worker import execute
from moebench.sweeps import read_sweep

CONFIGS = Path(__file__).parents[2] / "configs"
# An arm for every set of files; a paper whose run trains many seeds trains in tests of its own.
ARMS = {
    (found.name, *arm.configs): (found, arm)
    for found in targets()
    for arm in reversed(found.plan.arms)
    if not arm.twin_of and found.plan.seeds_in_a_run is None
}
SWEEPS = sorted(path for path in CONFIGS.rglob("*.yaml") if "\nexperiment:" in path.read_text())
SHORT = {
    "trainer.max_steps": 2,
    "trainer.log_every_n_steps": 1,
    "trainer.accelerator": "cpu",
    "data.init_args.batch_size": 8,
    "data.init_args.valid_batches": 1,
}
OF_TEXT = ("source", "vocabulary", "length")  # settings of the small text


@pytest.mark.parametrize(("found", "arm"), ARMS.values(), ids=map("-".join, ARMS))
def test_it_trains_and_records(found: Target, arm: Arm, tiny, tmp_path: Path) -> None:
    files = [(found.configs / name).read_text() for name in arm.configs]
    world = any("Synthetic" in text for text in files)
    text = {f"data.init_args.{name}": tiny.settings()[f"data.init_args.{name}"] for name in OF_TEXT}
    # Validated after every step, of however many batches it is.
    batches = re.search(r"accumulate_grad_batches: (\d+)", "".join(files))
    interval = {"trainer.val_check_interval": int(batches[1]) if batches else 1}
    settings = {**SHORT, **interval, **({} if world else text)}
    experiment = load_arm(found, arm, found.plan.profiles[0], settings)
    job = Job("target", "profile", arm.name, 0, experiment, tmp_path / "run")
    record = execute(job, [])
    error = job.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else record
    assert read(job.record_path) == [record]
    assert record.steps == 2
    assert record.tokens > 0
    assert {"valid/loss", "valid/loss@1", "valid/loss@2", "train/loss"} <= set(record.metrics)
    assert record.params_total >= record.params_active > 0
    assert record.flops_per_token > 0
    assert record.seconds > 0
    if record.params_total > record.params_active:
        assert any(name.startswith("route/") for name in record.metrics)


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.name)
def test_every_sweep_can_be_read(path: Path) -> None:
    """Reading tries the values of each dimension."""
    assert read_sweep(path).trials > 1


def kinds(settings: Mapping[str, object]) -> str:
    """What tells settings apart whose numbers alone differ."""
    found = {k: type(v) if isinstance(v, int | float) else v for k, v in settings.items()}
    return str(sorted(found.items(), key=str))


@pytest.mark.parametrize("found", targets(), ids=lambda found: found.name)
def test_every_arm_of_every_profile_is_a_configuration(found: Target) -> None:
    """Each arm is read once, and each kind of profile; the trainer's numbers are all checked."""
    trainers: dict[tuple[str, ...], Mapping[str, Any]] = {}
    seen: set[tuple[str, ...]] = set()
    for profile in found.plan.profiles:
        for arm in map(found.plan.arm, profile.arms):
            own = {**arm.settings, **profile.arm_settings.get(arm.name, {})}
            given = {**profile.settings, **own}
            options = {k.removeprefix("trainer."): v for k, v in given.items() if "trainer." in k}
            new = {(*arm.configs, kinds(own)), (kinds(profile.settings), kinds(own))} - seen
            if new:
                whole = load_arm(found, arm, profile, {}).config["trainer"]
                files = {name: value for name, value in whole.items() if name not in options}
                trainers.setdefault((*arm.configs,), files)
                seen |= new
            check_options({**trainers[*arm.configs], **options})
