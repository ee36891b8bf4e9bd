"""What tests of training begin with: few cases, copies trained on them, tables held together."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from reproductions.jacobs_1991.networks.copies import Copies
from reproductions.jacobs_1991.networks.system import Cases, System
from reproductions.jacobs_1991.vowels import Coding, Vowels

CRITERION = 0.15  # of the mean squared error: met within 60 epochs by many systems and steps


def small(coding: Coding = "anti", train_speakers: int = 5) -> Vowels:
    """Return three vowels; with five speakers these are 30 cases, not whole vector registers."""
    vowels = ("iy", "ih", "aa")
    return Vowels(vowels, coding, train_speakers=train_speakers, test_speakers=4)


def trained(
    system: System,
    runs: Sequence[tuple[float, int]],
    cases: Cases,
    max_epochs: int = 60,
) -> Copies:
    """Train copies side by side until all have met the criterion, 25 epochs at a time.

    Args:
        system: what is copied.
        runs: step size and seed of each copy.
        cases: what they learn.
        max_epochs: updates after which a copy is stopped anyway.
    """
    steps, seeds = zip(*runs, strict=True)
    copies = Copies(system, torch.tensor(steps, dtype=torch.float64), CRITERION, max_epochs)
    copies.weights = system.init(seeds, 0.5, len(cases.x_DT) - 1, len(cases.target_CT))
    while copies.running_S.any():
        copies.train(cases, 25)
    return copies


def same(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Say whether two tables are equal to the last bit, what is not a number included."""
    return one.keys() == other.keys() and all(
        torch.equal(one[name].nan_to_num(nan=-1), other[name].nan_to_num(nan=-1)) for name in one
    )
