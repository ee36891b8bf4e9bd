"""Independent, uniform tokens: there is nothing to learn, so no model may do better."""

import math

import numpy as np
from numpy.typing import NDArray

from moebench.data.synthetic.world import at_least


class Uniform:
    """The world in which no model is better than another.

    Args:
        size: number of ids.

    Raises:
        ValueError: if there are fewer than two.
    """

    domains = ("uniform",)

    def __init__(self, size: int = 64) -> None:
        at_least(size=(size, 2))
        self.size = size

    @property
    def vocabulary(self) -> int:
        """Number of ids it uses."""
        return self.size

    def draw(
        self, rows: int, length: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids, one row per sequence; all belong to the one domain."""
        return rng.integers(self.size, size=(rows, length)), np.zeros(rows, dtype=np.int64)

    def floor(self, length: int) -> float:
        """Return log(size)."""
        return math.log(self.size)
