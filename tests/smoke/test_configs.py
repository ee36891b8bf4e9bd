"""Every configuration in the repository builds, trains two steps and leaves a valid record."""

from pathlib import Path

import pytest

from moebench.experiment import load
from moebench.records import read
from moebench.reproduce import load_arm
from moebench.run.job import Job
from moebench.run.worker import execute
from moebench.sweep import read_sweep
from moebench.targets import FOLDERS, target

CONFIGS = Path(__file__).parents[2] / "configs"
ONE_BY_ONE = [CONFIGS / "mixtral_2024/mixtral_8.yaml", CONFIGS / "source_notes/tempered.yaml"]
WORLDS = ("one_source.yaml", "recall.yaml", "sources.yaml")
CONTROLS = [CONFIGS / "switch_2021" / name for name in WORLDS[:2]]
OVERLAYS = [CONFIGS / "mixtral_2024" / "uniform.yaml", *CONTROLS]  # the first: profile smoke
FILES = sorted([*set(CONFIGS.glob("switch_2021/*.yaml")).difference(CONTROLS), *ONE_BY_ONE])
LAYERS = sorted(CONFIGS.glob("shazeer_2017/*.yaml"))
# A paper with a model of its own trains it in its own tests.
OWN = [path for path in CONFIGS.rglob("*.yaml") if "class_path: reproductions." in path.read_text()]
SWEEPS = [*(CONFIGS / "sweeps").glob("*.yaml"), *CONFIGS.glob("loss_free_2024/*.yaml")]
SWEEPS = sorted([*SWEEPS, *set(CONFIGS.glob("source_notes/*.yaml")).difference(ONE_BY_ONE)])


def test_there_are_configurations() -> None:
    assert FILES
    assert len({*FILES, *LAYERS, *OWN, *SWEEPS, *OVERLAYS}) == len(
        sorted(CONFIGS.rglob("*/*.yaml"))
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONFIGS)))
def test_it_trains_and_records(path: Path, tiny, tmp_path: Path) -> None:
    experiment = tiny(
        str(path.relative_to(CONFIGS)), {"trainer.max_steps": 2, "trainer.val_check_interval": 1}
    )
    job = Job("target", "profile", path.stem, 0, experiment, tmp_path / "run")
    record = execute(job, [])
    error = job.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else record
    assert read(job.record_path) == [record]
    assert record.steps == 2
    assert record.tokens == 2 * 8 * 32
    assert {"valid/loss", "valid/loss@1", "valid/loss@2", "train/loss"} <= set(record.metrics)
    assert record.params_total >= record.params_active > 0
    assert record.flops_per_token > 0
    assert record.seconds > 0
    if "dense" not in path.stem:
        assert 0 <= record.metrics["route/dropped"] <= 1
        assert "train/LoadBalance" in record.metrics


@pytest.mark.parametrize("world", CONTROLS, ids=lambda path: path.stem)
def test_a_control_lies_over_the_mixture_and_trains(world: Path, tmp_path: Path) -> None:
    settings = {
        "trainer.max_steps": 2,
        "trainer.val_check_interval": 1,
        "trainer.log_every_n_steps": 1,
        "data.init_args.valid_batches": 1,
    }
    files = [CONFIGS / "switch_2021/switch_8.yaml", world]
    job = Job("target", "profile", world.stem, 0, load(files, settings, 0), tmp_path / "run")
    record = execute(job, [])
    assert record.status == "finished"
    assert record.tokens == 2 * 32 * 64
    assert "route/dropped" in record.metrics


PAIRS = [(world, path.name) for world in WORLDS[:1] for path in LAYERS if path.name not in WORLDS]
PAIRS += [(world, "moe.yaml") for world in WORLDS[1:]]


@pytest.mark.parametrize(("world", "model"), PAIRS)
def test_a_model_laid_over_a_world_trains_and_records(
    world: str, model: str, tmp_path: Path
) -> None:
    settings = {
        "trainer.max_steps": 2,
        "trainer.val_check_interval": 1,
        "trainer.log_every_n_steps": 1,
        "data.init_args.batch_size": 4,
        "data.init_args.valid_batches": 1,
    }
    files = [CONFIGS / "shazeer_2017" / name for name in (world, model)]
    job = Job("target", "profile", model, 0, load(files, settings, 0), tmp_path / "run")
    record = execute(job, [])
    error = job.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else record
    assert record.tokens == 2 * 4 * 12
    assert record.flops_per_token > 0
    assert ("route/importance_cv" in record.metrics) == (model in SPARSE)


SPARSE = {"batchwise.yaml", "moe.yaml", "moe_4.yaml", "moe_h.yaml"}


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.name)
def test_every_sweep_can_be_read(path: Path) -> None:
    sweep = read_sweep(path)
    assert sweep.trials > 1
    first = sweep.at({dimension.name: dimension.ends[0] for dimension in sweep.space})
    last = sweep.at({dimension.name: dimension.ends[-1] for dimension in sweep.space})
    assert len({first.hash, last.hash}) == 2


PROFILES = [(name, profile.name) for name in FOLDERS for profile in target(name).plan.profiles]


@pytest.mark.parametrize(("name", "profile"), PROFILES)
def test_every_arm_of_every_profile_is_a_configuration(name: str, profile: str) -> None:
    found = target(name)
    for arm in found.plan.profile(profile).arms:
        load_arm(found, found.plan.arm(arm), found.plan.profile(profile), {})
