"""How many runs fit on the nodes of a Ray cluster, and what is said of nodes."""

import pytest

from moebench.run.engines.engine_options import RayOptions
from moebench.run.engines.ray_resources import (
    GIB,
    as_options,
    in_words,
    needs_of,
    nodes_in_words,
    times,
)

NODE = {"CPU": 8.0, "GPU": 2.0, "memory": 32.0 * GIB, "node:10.0.0.1": 1.0, "tpu": 1.0}


@pytest.mark.parametrize(
    ("options", "devices", "count"),
    [
        ({}, 1, 8),
        ({"cpus": 3}, 1, 2),
        ({"cpus": 9}, 1, 0),
        ({"gpus": 1}, 1, 2),
        ({"gpus": 1}, 2, 1),
        ({"gpus": 1}, 3, 0),
        ({"gpus": 0.5}, 1, 4),
        ({"gpus": 0.4}, 1, 4),  # the last fifth of each is no share
        ({"cpus": 0, "gpus": 0.25}, 1, 8),
        ({"memory_gb": 10}, 1, 3),
        ({"resources": {"tpu": 0.5}}, 1, 2),
        ({"resources": {"lpu": 1}}, 1, 0),
    ],
)
def test_how_many_runs_fit(options: dict, devices: int, count: int) -> None:
    assert times(NODE, needs_of(RayOptions(**options), devices)) == count


def test_what_a_task_asks_of_ray() -> None:
    needs = needs_of(RayOptions(cpus=0, gpus=0.5, resources={"tpu": 1}), devices=1)
    assert as_options(needs) == {
        "num_cpus": 0,
        "num_gpus": 0.5,
        "memory": 0,
        "resources": {"tpu": 1},
    }


def test_nodes_in_words() -> None:
    assert in_words(NODE) == "8 CPU, 2 GPU, 1 tpu, 32 GiB of memory"
    head = {"node:__internal_head__": 1.0, "object_store_memory": 5.0}
    assert nodes_in_words([head, {"CPU": 4.0}, {"CPU": 4.0}]) == "1 x (nothing); 2 x (4 CPU)"
    assert nodes_in_words([]) == "no nodes"
