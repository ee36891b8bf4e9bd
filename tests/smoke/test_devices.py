"""One run on two devices: two processes of the CPU, which share every batch."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import IDENTITY, read_history
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.job_list import run_all

LOSS = {"class_path": "OverDevices", "init_args": {"loss": "LoadBalance"}}
ROUTER = {"class_path": "BiasBalanced", "init_args": {"router": {"class_path": "SigmoidTopK"}}}
ROUTER["init_args"]["router"]["init_args"] = {"num_experts": 8, "k": 2}
SETTINGS = {
    "trainer.callbacks": None,
    "model.losses": [{"loss": LOSS, "weight": 0.1}],
    "model.network.init_args.sparse.router": ROUTER,
}


def job(tiny, folder: Path, settings: Mapping[str, object], name: str = "mixtral_8.yaml") -> Job:
    asked = tiny(name, settings)
    whole = Job("target", "profile", "arm", 0, asked, folder / "seed_0", keep_weights=True)
    return whole.prepared()


def result(asked: Job) -> RunRecord:
    [record] = run_all([asked], Execution(), lambda *_: None)
    error = asked.folder / "error.txt"
    assert record.status == "finished", error.read_text() if error.exists() else ""
    return record


def losses(line: Mapping[str, float]) -> dict[str, float]:
    names = {"train/loss", "train/OverDevices", "valid/loss"}
    return {name: value for name, value in line.items() if name in names}


def test_however_many_devices_go_on_with_a_run_it_is_the_same(tiny, tmp_path: Path) -> None:
    """One device makes 4 steps, two go on to 8, one on to 12: data, losses and router states."""

    def of(devices: int, steps: int, folder: Path) -> Job:
        return job(
            tiny, folder, {**SETTINGS, "trainer.devices": devices, "trainer.max_steps": steps}
        )

    whole = of(1, 12, tmp_path / "undisturbed")
    expected = result(whole)
    for devices, steps in ((1, 4), (2, 8), (1, 12)):
        part = of(devices, steps, tmp_path / "parts")
        if part.folder.exists():
            part.record_path.unlink()
            (part.folder / IDENTITY).write_text(part.identity + "\n")
        found = result(part)
        assert found.hardware.get("devices", 1) == devices
        assert found.flops_per_token == expected.flops_per_token
    assert (found.steps, found.tokens) == (expected.steps, expected.tokens) == (12, 12 * 8 * 32)
    lines, others = (read_history(one.history_path) for one in (whole, part))
    assert [line["step"] for line in lines] == [line["step"] for line in others]
    for line, other in zip(lines, others, strict=True):
        assert losses(other) == pytest.approx(losses(line), rel=1e-3), line["step"]


def kill_a_device(folder: Path) -> None:
    """Kill the second process of a run once there is a checkpoint."""
    while not (folder / "last.ckpt").exists():
        time.sleep(0.01)
    [worker] = multiprocessing.active_children()
    [other] = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    os.kill(int(other), signal.SIGKILL)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds a process as Linux does")
def test_a_killed_device_ends_the_run_which_goes_on_with_the_same_bits(
    tiny, tmp_path: Path
) -> None:
    """With noise in the router and dropout, of which each device has its own."""
    settings = {
        "trainer.devices": 2,
        "trainer.max_steps": 40,
        "trainer.val_check_interval": 5,
        "model.network.init_args.dropout": 0.1,
    }
    expected = result(job(tiny, tmp_path / "undisturbed", settings, "switch_8.yaml"))
    killed = job(tiny, tmp_path / "killed", settings, "switch_8.yaml")
    killer = threading.Thread(target=kill_a_device, args=(killed.folder,))
    killer.start()
    found = result(killed)
    killer.join()
    assert found.metrics == expected.metrics
    assert found.tokens == expected.tokens
    times = [line["time"] for line in read_history(killed.history_path)]
    assert max(b - a for a, b in pairwise(times)) > 0.2, "nothing was killed"
