"""Runs on a real Slurm cluster of one machine: bits, time limits, losses and refusals."""

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moebench.evidence.record import RunRecord
from moebench.run.engines.profile import EngineProfile, SlurmOptions
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.job_list import run_all

from .slurm_cluster import Cluster, missing

if why := missing():
    pytest.skip(why, allow_module_level=True)

HOLD = """
import time
from pathlib import Path
from pytorch_lightning import Callback

class Hold(Callback):
    '''Waits after some steps until a file is there.'''

    def __init__(self, go: str, steps: int):
        self.go, self.steps = Path(go), steps

    def on_train_batch_start(self, trainer, *_):
        while trainer.global_step == self.steps and not self.go.exists():
            time.sleep(0.05)
"""
SETTINGS = {
    "trainer.max_steps": 30,
    "trainer.val_check_interval": 5,
    "model.network.init_args.dropout": 0.1,
}


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(prefix="moebench-slurm-"))  # a socket has a short path
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", str(folder / "slurm.conf"))
        with Cluster(folder).running() as cluster:
            yield cluster
    shutil.rmtree(folder)


@pytest.fixture
def cluster(running: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster, in a folder of its own with the module `hold`, as of a person's project."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hold.py").write_text(HOLD)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "hold", raising=False)
    return running


def make_job(tiny, folder: Path, seed: int = 0, **more: object) -> Job:
    asked = tiny("switch_8.yaml", {**SETTINGS, **more}).with_seed(seed)
    return Job("target", "profile", "arm", seed, asked, folder / f"seed_{seed}")


def held_job(tiny, folder: Path) -> Job:
    """A job that has a checkpoint, and waits for the file `go`."""
    arguments = {"go": str(Path("go").absolute()), "steps": 12}
    hold = {"class_path": "hold.Hold", "init_args": arguments}
    return make_job(tiny, folder, **{"trainer.callbacks": [hold]})


def on_slurm(**options: object) -> Execution:
    return Execution(None, EngineProfile("slurm", SlurmOptions(**options)))


def ignore(*_: object) -> None:
    """Watch nothing."""


def essence(records: list[RunRecord]) -> list[tuple[object, ...]]:
    return [(r.arm, r.seed, r.status, r.steps, r.tokens, r.metrics) for r in records]


def undisturbed(tiny, folder: Path) -> list[tuple[object, ...]]:
    """What a held job comes to on this machine, where nothing holds it."""
    Path("go").touch()
    records = run_all([held_job(tiny, folder)], Execution(), ignore)
    Path("go").unlink()
    return essence(records)


def when(seen: Callable[[], bool], do: Callable[[], object]) -> threading.Thread:
    """Do something as soon as something is seen."""

    def watch() -> None:
        while not seen():
            time.sleep(0.1)
        do()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def left_behind(folder: Path) -> list[str]:
    names = (path.name for path in folder.rglob(".*"))
    return [name for name in names if "slurm" in name]


def test_runs_of_a_cluster_have_the_bits_of_this_machine(cluster, tiny, tmp_path: Path) -> None:
    seeds = range(3)
    here = [make_job(tiny, tmp_path / "here", seed) for seed in seeds]
    there = [make_job(tiny, tmp_path / "there", seed) for seed in seeds]
    arrays = set()
    look = when(lambda: any("_" in number for number in cluster.ids()), ignore)

    def watch(*_: object) -> None:
        arrays.update(number.partition("_")[0] for number in cluster.ids())

    records = run_all(there, on_slurm(), watch)
    look.join(1)
    assert essence(records) == essence(run_all(here, Execution(), ignore))
    assert {record.status for record in records} == {"finished"}
    assert len(arrays) == 1, "they are one array"
    assert not left_behind(tmp_path)
    assert not cluster.ids()


def test_out_of_time_a_run_goes_on_from_its_checkpoint(cluster, tiny, tmp_path: Path) -> None:
    job = held_job(tiny, tmp_path / "there")

    def restarted() -> bool:
        return any("Restarts=1" in cluster.call("scontrol", "show", "job") for _ in range(1))

    when(restarted, Path("go").touch)
    [record] = run_all([job], on_slurm(minutes=1, notice=10), ignore)
    Path("go").unlink()
    assert essence([record]) == undisturbed(tiny, tmp_path / "here")
