"""What Slurm's own commands say: which partitions there are, and where jobs are."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from typing import NamedTuple

from moebench.run.engines import EngineGoneError

YEAR = 365 * 24 * 60  # minutes: of a partition without a limit
WAITS = ("PENDING", "CONFIGURING", "REQUEUED")
ENDS = (
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY"),
    *("PREEMPTED", "TIMEOUT"),
)


class Nodes(NamedTuple):
    """Nodes of a partition that are alike."""

    number: int
    cpus: int
    gpus: int
    memory_gb: float


class Partition(NamedTuple):
    """A part of a cluster, with limits of its own."""

    name: str
    minutes: int  # the time limit of a job that gives none
    most_minutes: int  # the highest that a job may give
    nodes: tuple[Nodes, ...]


class Place(NamedTuple):
    """Where a job is."""

    state: str
    node: str = ""
    reason: str = ""  # it waits, in Slurm's words

    @property
    def waits(self) -> bool:
        """Whether it has no node yet, or none again."""
        return self.state in WAITS

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.state in ENDS


NEW = Place(WAITS[0])


def refuse_without_slurm() -> None:
    """Refuse a machine that cannot submit jobs.

    Raises:
        ValueError: names the command that is missing.
    """
    for name in ("sbatch", "srun", "squeue", "sinfo", "scancel"):
        if shutil.which(name) is None:
            raise ValueError(
                f"engine=slurm: there is no `{name}` on the path; start from a machine of the"
                " cluster"
            )


def partitions() -> list[Partition]:
    """Return the partitions of the cluster, the default one first.

    Raises:
        EngineGoneError: if the cluster does not answer.
    """
    found: dict[str, Partition] = {}
    first = ""
    for line in _call("sinfo", "--noheader", "--exact", "--format=%P|%D|%c|%G|%m|%L|%l"):
        name, count, cpus, gpus, megabytes, minutes, most = line.split("|")
        if name.endswith("*"):
            name = first = name[:-1]
        limit = _minutes(most) or YEAR
        before = found.get(name) or Partition(name, _minutes(minutes) or limit, limit, ())
        alike = Nodes(int(count), int(cpus), _gpus(gpus), int(megabytes) / 1024)
        found[name] = before._replace(nodes=(*before.nodes, alike))
    return sorted(found.values(), key=lambda partition: partition.name != first)


def places() -> dict[str, Place]:
    """Return where the jobs of this user are, by id; `5_2` is one of the array 5.

    Those that are over are there for a while, five minutes as a rule.

    Raises:
        EngineGoneError: if the cluster does not answer.
    """
    options = ("--noheader", "--array", "--states=all", f"--user={os.getuid()}")
    lines = _call("squeue", *options, "--format=%i|%T|%N|%r")
    return {number: Place(*rest) for number, *rest in (line.split("|", 3) for line in lines)}


def cancel(jobs: Iterable[str]) -> None:
    """End jobs by their ids.

    Raises:
        EngineGoneError: if the cluster does not answer.
    """
    if ids := list(jobs):
        _call("scancel", "--quiet", *ids)


def _call(*command: str) -> list[str]:
    """Return the lines that a command prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise EngineGoneError(f"engine=slurm: the cluster does not answer {command[0]}: {told[-1]}")
    return done.stdout.splitlines()


def _minutes(text: str) -> int:
    """Return a time such as `1-12:00:00` in whole minutes; 0 where there is none."""
    if not re.fullmatch(r"(\d+-)?[\d:]+", text):
        return 0
    days, _, rest = text.rpartition("-")
    seconds = 0
    for part in rest.split(":"):
        seconds = 60 * seconds + int(part)
    return (24 * 60 * 60 * int(days or 0) + seconds) // 60


def _gpus(resources: str) -> int:
    """Return the GPUs among the resources of a node, such as `gpu:a100:4(S:0-1),shard:16`."""
    return sum(int(count) for count in re.findall(r"\bgpu(?::[^:,(]+)?:(\d+)", resources))
