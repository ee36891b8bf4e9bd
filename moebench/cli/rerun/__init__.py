"""One recorded run, made again: the same number, the same but for noise, or another one.

It has a folder of its own, `<root>/rerun/<target>/<profile>/<arm>/<seed>/<environment>/`, which no
other command reads. Killed, the same command goes on; in another environment (other code, other
versions, another machine) it begins anew, for what is gone on with there would be of both.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from moebench.cli.lookup import kept, recorded
from moebench.cli.rerun.alike import Sameness, compared
from moebench.cli.rerun.answer import told
from moebench.cli.rerun.asked import Asked, asked_for
from moebench.cli.rerun.deciding import deciding
from moebench.cli.rerun.environment import changes, mark
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_one
from moebench.papers import Target
from moebench.run.job import Job
from moebench.run.machine import hardware, versions
from moebench.run.pool import sole_user
from moebench.run.tracked import run_tracked

__all__ = ["Answer", "RerunOptions", "Sameness", "rerun"]

FOLDER = "rerun"  # under the root


@dataclass(frozen=True)
class RerunOptions:
    """Which run is made again."""

    arm: str
    seed: int
    profile: str = ""  # empty: that of the committed records
    root: Path = Path("runs")


@dataclass(frozen=True)
class Answer:
    """What the run made again came to."""

    word: Sameness
    text: str


def rerun(found: Target, options: RerunOptions) -> Answer:
    """Make one recorded run again and compare.

    Raises:
        ValueError: for an arm or seed that no record has, or a run that nobody can make again.
        FileNotFoundError: if there are no records.
    """
    records = kept(found, options.profile, options.root)
    arm = [record for record in records.records if record.arm == options.arm]
    then = recorded(records, options.arm, options.seed)
    # Sums are rounded differently by another number of threads.
    threads = then.hardware.get("threads", 1)
    if isinstance(threads, int) and threads > 0:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
    asked = asked_for(found, then)
    print(f"{_name(then)}: made again from {asked.how}", flush=True)
    job = job_of(then, asked, options.root)
    with sole_user(job.folder.parent):
        place = f"{job.folder}{_before(job)}"
        now = _of_seed(then.seed, run_tracked([job], 1, None) or [read_one(job.record_path)])
    result = compared(then, now, arm, deciding(found, records.records, then))
    failure = _failure(job) if now.status == "failed" else ""
    lines = [
        f"{_name(then)}: {result.word}",
        f"recorded: {records.path}, commit {then.commit or 'unknown'}",
        f"again: {place}, commit {now.commit or 'unknown'}, {now.seconds:.1f} s",
        *told(result, changes(then, now), now, failure),
    ]
    return Answer(result.word, "\n".join(lines))


def job_of(then: RunRecord, asked: Asked, root: Path) -> Job:
    """Return the run, in a folder that no other run has.

    Raises:
        ValueError: if the record has a name that leads out of the folder of reruns.
    """
    threads = os.environ.get("OMP_NUM_THREADS", "1")
    around = mark(asked.experiment.source, versions(), hardware(), threads)
    place = root / FOLDER / then.target / then.profile / then.arm / str(then.seed) / around
    if not place.resolve().is_relative_to((root / FOLDER).resolve()):
        raise ValueError(f"arm={then.arm}: names no folder under {root / FOLDER}")
    return Job(
        target=then.target,
        profile=then.profile,
        arm=then.arm,
        seed=asked.seed,
        experiment=asked.experiment,
        folder=place / "run",
        planned=then.planned,
    )


def _before(job: Job) -> str:
    """Say that a run is there already, and what makes it once more; empty where it is not."""
    return " (made before; without this folder it is made once more)" if job.result() else ""


def _failure(job: Job) -> str:
    """Return the last line of what a failed run has left."""
    path = job.folder / "error.txt"
    lines = path.read_text(encoding="utf-8").split("\n") if path.exists() else []
    last = next((line.strip() for line in reversed(lines) if line.strip()), "no reason is known")
    return f"the run failed: {last} ({path})"


def _of_seed(seed: int, made: Sequence[RunRecord]) -> RunRecord:
    """Return the record of a seed, or that of the whole run if that failed.

    Raises:
        ValueError: if the run has other seeds.
    """
    for record in made:
        if record.seed == seed or record.status == "failed":
            return record
    seeds = ", ".join(str(record.seed) for record in made)
    raise ValueError(f"seed={seed}: the run made again has none such; it has {seeds}")


def _name(record: RunRecord) -> str:
    return f"{record.target} {record.profile}: {record.arm} seed {record.seed}"
