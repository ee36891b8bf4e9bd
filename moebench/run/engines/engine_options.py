"""The options of the engines, plain data: what a person may say of each, and what is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class LocalOptions:
    """Processes of this machine; there is nothing to choose but how many."""


@dataclass(frozen=True)
class RayOptions:
    """Which Ray cluster, and what each run asks of a node; a run on several devices for each.

    Args:
        address: `ray://host:10001` from any machine, `host:6379` from a node of the cluster, or
            `auto` for the cluster that this machine is a node of.
        cpus: cores.
        gpus: a number of them, or a fraction of one that several runs share.
        memory_gb: memory in GiB that Ray sets aside.
        resources: others by the names that nodes of the cluster give them.
        shared_folder: one that all nodes see, so that a run that loses its node goes on from its
            checkpoint on another; empty: it begins again there.
        retries: how often Ray makes a run again that has lost its node.
        autoscaling: whether the cluster may grow; then nothing is too large for it.
        runtime_env: Ray's description of the environment of runs, such as `env_vars`.

    Raises:
        ValueError: for an address of another form, or a number that is too small.
    """

    address: str = "auto"
    cpus: float = 1.0
    gpus: float = 0.0
    memory_gb: float = 0.0
    resources: Mapping[str, float] = field(default_factory=dict)
    shared_folder: str = ""
    retries: int = 3
    autoscaling: bool = False
    runtime_env: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _, separator, port = self.address.removeprefix("ray://").rpartition(":")
        if self.address != "auto" and not (separator and port.isdecimal()):
            forms = "ray://host:port, host:port or auto"
            raise ValueError(f"address={self.address}: must be {forms}")
        for name in ("cpus", "gpus", "memory_gb", "retries"):
            refuse_below(name, getattr(self, name), 0)
        for name, number in self.resources.items():
            if isinstance(number, bool) or not isinstance(number, int | float):
                raise ValueError(f"resources.{name}={number}: must be a number")
            refuse_below(f"resources.{name}", number, 0)
        if self.gpus > 1 and self.gpus % 1:
            raise ValueError(f"gpus={self.gpus:g}: above 1 it must be whole")
        if not (self.cpus or self.gpus or any(self.resources.values())):
            raise ValueError("cpus=0: a run must ask for cores, GPUs or resources")


@dataclass(frozen=True)
class SlurmOptions:
    """What every run asks of a Slurm cluster; empty or 0: what the cluster gives by default.

    Args:
        partition: where runs go.
        account: who pays for them.
        qos: quality of service.
        constraint: features of a node.
        cpus: of a run, for all its devices together.
        gpus: of a run, for all its devices together.
        memory_gb: of a run.
        minutes: time limit; a run that is not done by then goes on from its checkpoint, later.
        notice: seconds before the time limit at which it is put back into the queue.
        requeues: how often a run is put back before it counts as lost.
        array_size: most runs that are submitted as one job array.
        array_parallelism: how many of an array run at once.
        more: further options of `sbatch`, such as `mail-type: FAIL`.

    Raises:
        ValueError: for a number that is too small.
    """

    partition: str = ""
    account: str = ""
    qos: str = ""
    constraint: str = ""
    cpus: int = 1
    gpus: int = 0
    memory_gb: float = 0.0
    minutes: int = 0
    notice: int = 90
    requeues: int = 20
    array_size: int = 1000
    array_parallelism: int = 1000
    more: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("cpus", "notice", "array_size", "array_parallelism"):
            refuse_below(name, getattr(self, name), 1)
        for name in ("gpus", "memory_gb", "minutes", "requeues"):
            refuse_below(name, getattr(self, name), 0)


def refuse_below(name: str, value: float, least: float) -> None:
    """Refuse an option that is too small.

    Raises:
        ValueError: names it, its value and the least.
    """
    if not value >= least:
        raise ValueError(f"{name}={value:g}: must be at least {least:g}")
