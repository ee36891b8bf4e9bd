"""The contract of a world: it draws sequences, and knows how well they can be predicted."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class World(Protocol):
    """Draws sequences of ids; equal arguments make equal worlds."""

    @property
    def vocabulary(self) -> int:
        """Number of ids it uses, from 0."""
        ...

    @property
    def domains(self) -> tuple[str, ...]:
        """Names of the kinds of sequences it has."""
        ...

    def draw(
        self, rows: int, length: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids, one row per sequence, and the number of each sequence's domain."""
        ...

    def floor(self, length: int) -> float:
        """Return the smallest possible loss, in nats per token.

        It is the mean, over all tokens but the first, of the entropy given the tokens before.
        """
        ...


def entropy(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy along the last axis, in nats; zero probabilities add nothing."""
    safe = np.where(probabilities > 0, probabilities, 1.0)
    found: NDArray[np.float64] = -(probabilities * np.log(safe)).sum(axis=-1)
    return found


def draw_rows(probabilities: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw an index from each row of probabilities, by inverting its cumulative distribution."""
    edges = probabilities.cumsum(axis=-1)
    # The last edge may be slightly below one, and the draw must not fall beyond it.
    where = rng.random((len(edges), 1)) * edges[:, -1:]
    found: NDArray[np.int64] = (where >= edges[:, :-1]).sum(axis=-1)
    return found


def at_least(**numbers: tuple[float, float]) -> None:
    """Raise ValueError for the first number below its limit."""
    for name, (number, limit) in numbers.items():
        if not number >= limit:
            raise ValueError(f"world.{name}={number}: must be at least {limit:g}")
