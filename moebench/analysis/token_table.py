"""Which tokens a text has, and what they would be paired with by chance.

Chance keeps windows whole: tokens of one window are no independent draws.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor


class Words(NamedTuple):
    """The tokens of a text, by their ids."""

    frequency_V: Tensor  # int64, how often each occurs
    windows_NV: Tensor  # int64, how many windows of each domain hold it


def words(batches: Iterable[tuple[Tensor, Tensor]], vocabulary: int, domains: int) -> Words:
    """Count the tokens of some windows.

    Args:
        batches: ids_BL and domain_B of the windows.
        vocabulary: number V of ids.
        domains: how many, N.

    Raises:
        ValueError: if an id lies outside the vocabulary.
    """
    frequency_V = torch.zeros(vocabulary, dtype=torch.int64)
    windows_NV = torch.zeros(domains, vocabulary, dtype=torch.int64)
    for ids_BL, domain_B in batches:
        largest = int(ids_BL.max())
        if largest >= vocabulary:
            raise ValueError(
                f"tokenizer: gives the id {largest}, the model knows {vocabulary}; they do not "
                "belong together"
            )
        frequency_V += ids_BL.flatten().bincount(minlength=vocabulary)
        row_BL = torch.arange(len(ids_BL))[:, None] * vocabulary + ids_BL
        held_X = row_BL.unique()  # one for each window and token in it
        domain_X = domain_B[held_X // vocabulary]
        cell_X = domain_X * vocabulary + held_X % vocabulary
        windows_NV += cell_X.bincount(minlength=windows_NV.numel()).view(windows_NV.shape)
    return Words(frequency_V, windows_NV)


class DealtDomains:
    """Deals out the domains of every token anew among the windows that hold it.

    So a token keeps its domains, and one that stands in a single domain keeps it: of such a token
    the domain can say nothing, neither in the text nor by chance. Drawn without replacement as the
    windows come, which gives each order the same chance and needs no second reading.

    Args:
        windows_MN: how many windows of each domain hold each of M tokens.
        permutations: how many, P.
        seed: of the draws.
    """

    def __init__(self, windows_MN: Tensor, permutations: int, seed: int) -> None:
        self._left_PMN = windows_MN.float().repeat(permutations, 1, 1)
        self._generator = torch.Generator().manual_seed(seed)

    def read(self, token_BL: Tensor) -> Tensor:
        """Return domain_PBL of the tokens of the next windows; those below zero have none."""
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


def of_another_window(x_BL: Tensor, generator: torch.Generator) -> Tensor:
    """Return for each window what another one of the batch has, each taken once.

    A window that is alone in its batch has no other: it gets -1.
    """
    if len(x_BL) < 2:
        return torch.full_like(x_BL, -1)
    order_B = torch.randperm(len(x_BL), generator=generator)
    other_BL = torch.empty_like(x_BL)
    other_BL[order_B] = x_BL[order_B.roll(1)]
    return other_BL
