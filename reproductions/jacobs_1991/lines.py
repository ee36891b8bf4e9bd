"""Lines that experts and gates draw through the plane of two formants.

A line is D = 3 numbers, two weights and a constant; it lies where the weighted sum is zero.
"""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from reproductions.jacobs_1991.arms import DRAWN
from reproductions.jacobs_1991.networks.errors import Likelihood
from reproductions.jacobs_1991.networks.mixture import Mixture
from reproductions.jacobs_1991.networks.system import descend, prepare
from reproductions.jacobs_1991.vowels import VowelBatch, Vowels

Lines = NDArray[np.float64]
Box = tuple[tuple[float, float], tuple[float, float]]
EPOCHS, STEP = 20_000, 20.0  # enough for a single line to converge


def gate_line(gate_ED: Lines, first: int, second: int) -> Lines:
    """Return line_D on which two experts have equal shares."""
    line: Lines = gate_ED[first] - gate_ED[second]
    return line


def span(line: Lines, box: Box) -> tuple[list[float], list[float]]:
    """Return the x and y of both ends of line_D in a box: left and right, or bottom and top."""
    (left, right), (low, high) = box
    a, b, c = line
    if abs(b) * (high - low) > abs(a) * (right - left):
        return [left, right], [-(a * x + c) / b for x in (left, right)]
    return [-(b * y + c) / a for y in (low, high)], [low, high]


def place(line_ED: Lines) -> Lines:
    """Return each line as a point_E2: angle in degrees, and distance from the centre of the data.

    The angle, from -180 to 180, points to the side where the expert's output exceeds one half.
    """
    middle_D = np.append(_train().x_TD.mean(dim=0).numpy(), 1.0)
    length_E = np.hypot(line_ED[:, 0], line_ED[:, 1])
    angle_E = np.degrees(np.arctan2(line_ED[:, 1], line_ED[:, 0]))
    return np.stack([angle_E, line_ED @ middle_D / length_E], axis=1)


@cache
def best_line() -> dict[str, Lines]:
    """Return the line that one expert finds for each pair of vowels, and for all four."""
    found = {}
    for name, chosen in (("T0", (0, 1)), ("T1", (2, 3)), ("X", (0, 1, 2, 3))):
        batch = _train()
        mine_T = torch.isin(batch.vowel_T, torch.tensor(chosen))
        cases = prepare(batch.x_TD[mine_T], batch.target_TC[mine_T])
        system = Mixture(1, Likelihood())
        weights = system.init([0], 0.5, features=2, outputs=1)
        step_S = torch.tensor([STEP], dtype=torch.float64)
        for _ in range(EPOCHS):
            answer = system.forward(weights, cases.x_DT)
            descend(weights, system.gradient(weights, answer, cases), step_S)
        found[name] = weights["expert"][0, 0, 0].numpy()
    return found


@cache
def _train() -> VowelBatch:
    return Vowels(coding="aligned", order=DRAWN).train
