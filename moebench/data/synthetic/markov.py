"""Several Markov chains, one a sequence, over words of their own and a stock that all share.

Each chain has as many states as words. A token is, with a fixed chance, one of the shared stock,
like the function words of a language; else it is the next word of the chain, which goes on from its
own last word. The first token is always a word, and no two chains share one, so the domain is known
from the start: the entropy of what follows can be written down.
"""

import math

import numpy as np
from numpy.typing import NDArray

from moebench.data.synthetic.world import at_least, draw_rows, entropy


class Sources:
    """Domain-pure sequences from Markov chains with a shared stock.

    Args:
        chains: number of domains.
        words: states of each chain.
        successors: words that may follow a word, drawn at random, with random chances.
        stock: shared tokens, all equally likely.
        share: chance of a token to be from the stock.
        skew: chain number n, counted from one, has a chance in proportion to n ** -skew; 0: all
            chains are alike.
        seed: of the chains.

    Raises:
        ValueError: for a number out of range, or more successors than words.
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
        self.rest_KW = np.stack([_at_rest(next_WW) for next_WW in self.next_KWW])

    @property
    def vocabulary(self) -> int:
        """The stock, and then the words of each chain."""
        return self.stock + len(self.domains) * self.words

    def draw(
        self, rows: int, length: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return ids, one row a sequence, and the chain of each."""
        chains = len(self.domains)
        # A draw of its own where all are alike: it spends less chance, and evidence rests on it.
        chain_B = (
            rng.choice(chains, rows, p=self.chance_K)
            if self.skew
            else rng.integers(chains, size=rows)
        )
        word_B = draw_rows(self.rest_KW[chain_B], rng)
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

        Chains start at rest, so this holds at every place of a sequence.
        """
        rate = float(self.chance_K @ (self.rest_KW * entropy(self.next_KWW)).sum(axis=-1))
        kind = float(entropy(np.array([self.share, 1 - self.share])))
        return kind + self.share * math.log(self.stock) + (1 - self.share) * rate


def _chain(words: int, successors: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return chances next_WW; a ring through all words makes sure that each can be reached.

    The words after a word are its neighbour in a random ring and others drawn at random.
    """
    next_WW = np.zeros((words, words))
    ring = rng.permutation(words)
    for place, word in enumerate(ring):
        neighbour = ring[(place + 1) % words]
        others = rng.permutation(np.delete(np.arange(words), neighbour))[: successors - 1]
        next_WW[word, [neighbour, *others]] = rng.dirichlet(np.ones(successors))
    return next_WW


def _at_rest(next_WW: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how often each word comes in the long run: p = p next, and p sums to one."""
    words = len(next_WW)
    system = np.vstack([next_WW.T - np.eye(words), np.ones(words)])
    solution = np.linalg.lstsq(system, np.append(np.zeros(words), 1.0))[0].clip(0)
    rest_W: NDArray[np.float64] = solution / solution.sum()
    return rest_W
