"""What a real Slurm cluster of one machine cannot do is said in one line."""

from pathlib import Path

import pytest

from moebench.run.job import Job
from moebench.run.job_list import run_all

from .slurm_cluster import on_slurm


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"partition": "mian"}, "partition=mian: unknown; the nearest: main"),
        ({"partition": "x"}, "partition=x: unknown; one of main, idle"),
        ({"cpus": 9}, "cpus=9: no node of partition main has so much; it has 1 of 4 CPUs, 1 GPUs"),
        ({"gpus": 2}, "gpus=2: no node"),
        ({"memory_gb": 99.5}, "memory_gb=99.5: no node of partition main has so much"),
        ({"minutes": 121}, "minutes=121: partition main allows 120 at most"),
        ({"minutes": 1}, "notice=90: must be shorter than the time limit of 60 seconds"),
    ],
)
def test_what_the_cluster_has_not_is_refused(cluster, options: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        on_slurm(**options).start()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"constraint": "quiet"}, "engine=slurm: sbatch: .*Invalid feature specification"),
        ({"more": {"nonsense": 1}}, "engine=slurm: sbatch: .*unrecognized option '--nonsense=1'"),
    ],
)
def test_what_sbatch_refuses_is_told_in_its_words(
    cluster, tiny, tmp_path: Path, options: dict, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    job = Job("target", "profile", "arm", 0, tiny("switch_8.yaml"), tmp_path / "arm" / "seed_0")
    with pytest.raises(ValueError, match=words):
        run_all([job], on_slurm(**options), lambda *_: None)
    assert not list(tmp_path.rglob(".*slurm*"))
    assert "sbatch" not in capfd.readouterr().err


def test_a_machine_without_slurm_and_a_cluster_that_is_down(cluster, monkeypatch) -> None:
    cluster.kill_controller()
    with pytest.raises(ConnectionError, match="engine=slurm: the cluster does not answer sinfo"):
        on_slurm().start()
    cluster.start_controller()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ValueError, match="engine=slurm: there is no `sbatch` on the path"):
        on_slurm().start()
    monkeypatch.undo()
