"""Several Markov chains, one per sequence, each with words of its own and a stock that all share.

The words are the states of a chain. With a fixed probability a token comes from the shared stock,
like the function words of a language; otherwise it is the chain's next word, given its last word.
The first token is always a word, and no two chains share words, so it gives the domain away: the
entropy of what follows has a closed form.
"""

import math

import numpy as np
from numpy.typing import NDArray

from moebench.data.synthetic.world import at_least, draw_rows, entropy


class Sources:
    """Domain-pure sequences from Markov chains with a shared stock.

    Args:
        chains: number of domains.
        words: number of words, the states of each chain.
        successors: number of words that may follow a word, drawn at random, with random
            probabilities.
        stock: number of shared tokens, all equally likely.
        share: probability that a token comes from the stock.
        skew: chain number n, from one, has a probability proportional to n ** -skew; 0 makes all
            chains equally likely.
        seed: seed of the chains.

    Raises:
        ValueError: if a number is out of range, or there are more successors than words.
    """

    def __init__(
        self,
        chains: int = 8,
        words: int = 64,
        successors: int = 4,
        stock: int = 16,
        share: float = 0.25,
        skew: float = 0.0,
        seed: int = 0,
    ) -> None:
        at_least(chains=(chains, 1), words=(words, 2), successors=(successors, 1), stock=(stock, 1))
        if successors > words:
            raise ValueError(f"world.successors={successors}: at most world.words={words}")
        if not 0 <= share < 1:
            raise ValueError(f"world.share={share}: must be at least 0 and below 1")
        at_least(skew=(skew, 0))
        self.stock, self.share, self.words = stock, share, words
        self.domains = tuple(f"chain {number}" for number in range(chains))
        self.skew = skew
        self.chance_K = np.arange(1, chains + 1) ** -float(skew)
        self.chance_K /= self.chance_K.sum()
        rng = np.random.default_rng(seed)
        self.next_KWW = np.stack([_chain(words, successors, rng) for _ in range(chains)])
        self.stationary_KW = np.stack([_stationary(next_WW) for next_WW in self.next_KWW])

    @property
    def vocabulary(self) -> int:
        """Number of ids: the stock, then the words of each chain."""
        return self.stock + len(self.domains) * self.words

    def draw(
        self, rows: int, length: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids, one row per sequence, and the chain of each."""
        chains = len(self.domains)
        # Equally likely chains are drawn by another method, on which committed records depend.
        chain_B = (
            rng.choice(chains, rows, p=self.chance_K)
            if self.skew
            else rng.integers(chains, size=rows)
        )
        word_B = draw_rows(self.stationary_KW[chain_B], rng)
        ids = np.empty((rows, length), dtype=np.int64)
        for place in range(length):
            if place:
                moves_B = rng.random(rows) >= self.share
                next_B = draw_rows(self.next_KWW[chain_B, word_B], rng)
                word_B = np.where(moves_B, next_B, word_B)
            ids[:, place] = self.stock + chain_B * self.words + word_B
            if place:
                ids[~moves_B, place] = rng.integers(self.stock, size=int((~moves_B).sum()))
        return ids, chain_B

    def floor(self, length: int) -> float:
        """Return H(stock or word) + share * log(stock) + (1 - share) * entropy rate of the chains.

        Chains start in their stationary distribution, so this holds at every position.
        """
        rate = float(self.chance_K @ (self.stationary_KW * entropy(self.next_KWW)).sum(axis=-1))
        kind = float(entropy(np.array([self.share, 1 - self.share])))
        return kind + self.share * math.log(self.stock) + (1 - self.share) * rate


def _chain(words: int, successors: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return transition probabilities next_WW, by which every word can be reached.

    A word is followed by its neighbour in a random ring, or by others drawn at random.
    """
    next_WW = np.zeros((words, words))
    ring = rng.permutation(words)
    for place, word in enumerate(ring):
        neighbour = ring[(place + 1) % words]
        others = rng.permutation(np.delete(np.arange(words), neighbour))[: successors - 1]
        next_WW[word, [neighbour, *others]] = rng.dirichlet(np.ones(successors))
    return next_WW


def _stationary(next_WW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the stationary distribution of a chain: p = p next, and p sums to one."""
    words = len(next_WW)
    system = np.vstack([next_WW.T - np.eye(words), np.ones(words)])
    solution = np.linalg.lstsq(system, np.append(np.zeros(words), 1.0))[0].clip(0)
    stationary_W: NDArray[np.float64] = solution / solution.sum()
    return stationary_W
