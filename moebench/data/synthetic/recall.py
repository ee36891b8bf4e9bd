"""Facts to memorise: two tokens are a question, the third is its answer, always the same one.

A model can lower its loss only by storing more facts in its weights; every sequence draws its
questions anew.
"""

import numpy as np
from numpy.typing import NDArray

from moebench.data.synthetic.world import at_least, entropy


class Recall:
    """Sequences of questions of two tokens, each followed by its answer.

    Args:
        facts: number of questions with an answer, all equally frequent.
        symbols: number of tokens that questions are made of.
        answers: number of tokens that answers are drawn from.
        seed: seed of the facts.

    Raises:
        ValueError: if a number is out of range, or there are more facts than questions.
    """

    domains = ("recall",)

    def __init__(
        self, facts: int = 4096, symbols: int = 128, answers: int = 128, seed: int = 0
    ) -> None:
        at_least(facts=(facts, 1), symbols=(symbols, 1), answers=(answers, 2))
        if facts > symbols**2:
            raise ValueError(f"world.facts={facts}: at most world.symbols squared, {symbols**2}")
        self.symbols, self.answers = symbols, answers
        rng = np.random.default_rng(seed)
        question_N = rng.permutation(symbols**2)[:facts]
        answer_N = symbols + rng.integers(answers, size=facts)
        self.fact_N3 = np.stack([question_N // symbols, question_N % symbols, answer_N], axis=1)

    @property
    def vocabulary(self) -> int:
        """Number of ids: the symbols, then the answers."""
        return self.symbols + self.answers

    def draw(
        self, rows: int, length: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids, one row per sequence of facts, the last of which may be cut short."""
        drawn = rng.integers(len(self.fact_N3), size=(rows, -(-length // 3)))
        ids = self.fact_N3[drawn].reshape(rows, -1)[:, :length]
        return ids, np.zeros(rows, dtype=np.int64)

    def floor(self, length: int) -> float:
        """Return the mean over positions of H(first), H(second | first) and zero for answers."""
        joint = np.zeros((self.symbols, self.symbols))
        joint[self.fact_N3[:, 0], self.fact_N3[:, 1]] = 1 / len(self.fact_N3)
        first = float(entropy(joint.sum(axis=1)))
        both = float(entropy(joint.ravel()))
        places = np.array([first, both - first, 0.0])
        return float(places[np.arange(1, length) % 3].mean())
