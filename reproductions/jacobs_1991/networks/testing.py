"""Helpers for tests of training: a few cases, replicas trained on them, comparison of tables."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from reproductions.jacobs_1991.networks.replicas import Replicas
from reproductions.jacobs_1991.networks.system import Cases, System
from reproductions.jacobs_1991.vowels import Coding, Vowels

CRITERION = 0.15  # mean squared error; many systems and step sizes reach it within 60 epochs


def small(coding: Coding = "anti", train_speakers: int = 5) -> Vowels:
    """Return three vowels; five speakers give 30 cases, not a multiple of vector registers."""
    vowels = ("iy", "ih", "aa")
    return Vowels(vowels, coding, train_speakers=train_speakers, test_speakers=4)


def trained(
    system: System,
    runs: Sequence[tuple[float, int]],
    cases: Cases,
    max_epochs: int = 60,
) -> Replicas:
    """Train replicas side by side until all have met the criterion, 25 epochs at a time.

    Args:
        system: the system.
        runs: step size and seed of each replica.
        cases: the training cases.
        max_epochs: number of updates after which a replica is stopped anyway.
    """
    steps, seeds = zip(*runs, strict=True)
    replicas = Replicas(system, torch.tensor(steps, dtype=torch.float64), CRITERION, max_epochs)
    replicas.weights = system.init(seeds, 0.5, len(cases.x_DT) - 1, len(cases.target_CT))
    while replicas.running_S.any():
        replicas.train(cases, 25)
    return replicas


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Say whether two tables are equal bit for bit, NaN included."""
    return one.keys() == other.keys() and all(
        torch.equal(one[name].nan_to_num(nan=-1), other[name].nan_to_num(nan=-1)) for name in one
    )
