"""How many runs a cluster has room for."""

import pytest

from moebench.run.engines.engine_options import SlurmOptions
from moebench.run.engines.slurm_commands import Nodes, Partition
from moebench.run.engines.slurm_room import chosen, minutes_of, room

MAIN = Partition("main", 60, 120, (Nodes(3, 16, 4, 64.0), Nodes(2, 64, 0, 32.0)))
OTHER = Partition("other", 60, 60, (Nodes(1, 1, 0, 1.0),))


@pytest.mark.parametrize(
    ("options", "runs"),
    [
        ({}, 3 * 16 + 2 * 64),
        ({"cpus": 5}, 3 * 3 + 2 * 12),
        ({"gpus": 1}, 3 * 4),
        ({"gpus": 3, "cpus": 16}, 3),
        ({"memory_gb": 30.0}, 3 * 2 + 2),
        ({"cpus": 64, "memory_gb": 32}, 2),
    ],
)
def test_as_many_runs_as_the_nodes_hold(options: dict, runs: int) -> None:
    assert room(SlurmOptions(**options), MAIN) == runs


def test_a_partition_is_chosen_by_name_and_else_the_first() -> None:
    assert chosen(SlurmOptions(), [MAIN, OTHER]) is MAIN
    assert chosen(SlurmOptions(partition="other"), [MAIN, OTHER]) is OTHER


def test_what_no_single_node_has_is_refused() -> None:
    with pytest.raises(ValueError, match="cpus=64, gpus=4, memory_gb=0: no node of partition main"):
        chosen(SlurmOptions(cpus=64, gpus=4), [MAIN])
    with pytest.raises(ValueError, match=r"has so much; it has 3 of 16 CPUs, 4 GPUs and 64.0 GB;"):
        chosen(SlurmOptions(cpus=65), [MAIN])


def test_the_time_limit_is_that_of_the_partition_unless_given() -> None:
    assert minutes_of(SlurmOptions(), MAIN) == 60
    assert minutes_of(SlurmOptions(minutes=90), MAIN) == 90
    with pytest.raises(ValueError, match="notice=7200: must be shorter"):
        minutes_of(SlurmOptions(minutes=120, notice=7200), MAIN)
