"""Handwritten runs with a grid of step sizes: the basis of tests of claims about them."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from moebench.evidence.record import RunRecord
from moebench.testing.verdicts import run
from reproductions.jacobs_1991.judging import Pair

TRIED, JUDGED = range(1025, 1028), range(1000, 1025)
NOISE = np.linspace(-1, 1, 28) ** 3
EPOCHS = MappingProxyType({2.0: 500.0, 5.0: 200.0})
AB = {"": (Pair("a", "b"),)}
AT_5: dict[str, Any] = {"grid": (2.0, 5.0), "rules": (5.0,)}
AT_BEST: dict[str, Any] = {"grid": (2.0, 5.0), "rules": ("best",)}


def at_steps(grid: Sequence[float], quantities: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics of a run that has the same quantities at every step size."""
    return {f"step_{step:g}/{name}": value for step in grid for name, value in quantities.items()}


def runs(
    arm: str,
    epochs: Mapping[float, float] = EPOCHS,
    spread: float = 20.0,
    lost: int = 0,
    **quantities: float,
) -> list[RunRecord]:
    """Return 25 judged runs of an arm and 3 trials.

    Args:
        arm: its name.
        epochs: step size -> mean epochs to the criterion.
        spread: largest deviation of the epochs from their mean.
        lost: number of judged runs that never met the criterion with step 5.
        **quantities: means of other quantities, the same at each step.
    """
    records = []
    for number, seed in enumerate([*TRIED, *JUDGED]):
        metrics = at_steps(
            [*epochs], {name: value + 0.001 * NOISE[number] for name, value in quantities.items()}
        )
        for step, mean in epochs.items():
            met = step != 5.0 or not 3 <= number < 3 + lost
            taken = {"reached": met, "epochs": mean + spread * NOISE[number] if met else 15000.0}
            metrics |= at_steps([step], taken)
        records.append(run(arm, seed, metrics=metrics))
    return records
