"""Runs for the tests of clusters: what they come to on this machine, and how they are held."""

from collections.abc import Mapping
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.job_list import run_all

PARTS = Path(__file__).parent / "parts"  # on the path of whoever holds a run
STEPS, HELD_AT = 30, 12
# Noise in router and dropout, so that going on must be exact.
SETTINGS = {
    "trainer.max_steps": STEPS,
    "trainer.val_check_interval": 5,
    "model.network.init_args.dropout": 0.1,
}


def make_job(tiny, folder: Path, seed: int = 0, more: Mapping[str, object] | None = None) -> Job:
    """A run of a seed, in a folder of its own there; its data are known, as to any driver."""
    asked = tiny("switch_8.yaml", {**SETTINGS, **(more or {})}).with_seed(seed)
    return Job("target", "profile", "switch", seed, asked, folder / f"seed_{seed}").prepared()


def held_job(tiny, folder: Path, go: Path, seed: int = 0) -> Job:
    """The same run, which has been saved twice when it begins to wait for a file."""
    arguments = {"go": str(go.absolute()), "steps": HELD_AT}
    callback = {"class_path": "hold.Hold", "init_args": arguments}
    return make_job(tiny, folder, seed, {"trainer.callbacks": [callback]})


def at_home(tiny, folder: Path, seeds: range) -> list[RunRecord]:
    """The records of the runs of this machine, which nothing holds or disturbs."""
    return run_all([make_job(tiny, folder, seed) for seed in seeds], Execution(), ignore)


def essence(records: list[RunRecord]) -> list[tuple[object, ...]]:
    """What must not depend on the engine."""
    return [(r.arm, r.seed, r.status, r.steps, r.tokens, r.metrics) for r in records]


def ignore(*_: object) -> None:
    """Watch nothing."""
