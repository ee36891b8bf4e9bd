"""Which tokens a text has, and what they are paired with under the null.

The null keeps windows whole, because tokens of one window are not independent.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class TokenCounts(NamedTuple):
    """How often each token of the vocabulary occurs in a text."""

    frequency_V: Tensor  # int64, number of occurrences
    windows_NV: Tensor  # int64, number of windows of each domain that contain it


def count_tokens(
    batches: Iterable[tuple[Tensor, Tensor]], vocabulary: int, domains: int
) -> TokenCounts:
    """Count the tokens of some windows.

    Args:
        batches: ids_BL and domain_B of the windows.
        vocabulary: number V of ids.
        domains: number N of domains.

    Raises:
        ValueError: if an id lies outside the vocabulary.
    """
    frequency_V = torch.zeros(vocabulary, dtype=torch.int64)
    windows_NV = torch.zeros(domains, vocabulary, dtype=torch.int64)
    for ids_BL, domain_B in batches:
        largest = int(ids_BL.max())
        if largest >= vocabulary:
            raise ValueError(
                f"tokenizer: gives the id {largest}, but the model has {vocabulary} ids; they do "
                "not belong together"
            )
        frequency_V += ids_BL.flatten().bincount(minlength=vocabulary)
        row_BL = torch.arange(len(ids_BL))[:, None] * vocabulary + ids_BL
        held_X = row_BL.unique()  # one for each window and token in it
        domain_X = domain_B[held_X // vocabulary]
        cell_X = domain_X * vocabulary + held_X % vocabulary
        windows_NV += cell_X.bincount(minlength=windows_NV.numel()).view(windows_NV.shape)
    return TokenCounts(frequency_V, windows_NV)


class PermutedDomains:
    """Permutes the domains of every token among the windows that contain it.

    A token thus keeps its domains, and one that occurs in a single domain keeps that one: for such
    a token the domain adds no information, neither in the text nor under the null. Domains are
    drawn without replacement as the windows arrive, which makes all permutations equally likely and
    needs no second pass.

    Args:
        windows_MN: number of windows of each domain that contain each of M tokens.
        permutations: number P of permutations.
        seed: seed of the draws.
    """

    def __init__(self, windows_MN: Tensor, permutations: int, seed: int) -> None:
        self._left_PMN = windows_MN.float().repeat(permutations, 1, 1)
        self._generator = torch.Generator().manual_seed(seed)

    def read(self, token_BL: Tensor) -> Tensor:
        """Return domain_PBL for the tokens of the next windows; -1 for tokens below zero."""
        permutations, _, domains = self._left_PMN.shape
        domain_PBL = torch.full((permutations, *token_BL.shape), -1)
        for window, token_L in enumerate(token_BL):
            known_L = token_L >= 0
            if not known_L.any():
                continue
            token_U, place_R = token_L[known_L].unique(return_inverse=True)
            left_PUN = self._left_PMN[:, token_U]
            drawn_X = left_PUN.view(-1, domains).multinomial(1, generator=self._generator)
            drawn_PU1 = drawn_X.view(permutations, len(token_U), 1)
            self._left_PMN[:, token_U] = left_PUN.scatter_add(
                2, drawn_PU1, torch.full_like(drawn_PU1, -1, dtype=left_PUN.dtype)
            )
            domain_PBL[:, window, known_L] = drawn_PU1[:, place_R, 0]
        return domain_PBL


def from_other_windows(x_BL: Tensor, generator: torch.Generator) -> Tensor:
    """Return for each window the values of another window of the batch, each used once.

    A window that is alone in its batch gets -1.
    """
    if len(x_BL) < 2:
        return torch.full_like(x_BL, -1)
    order_B = torch.randperm(len(x_BL), generator=generator)
    other_BL = torch.empty_like(x_BL)
    other_BL[order_B] = x_BL[order_B.roll(1)]
    return other_BL
