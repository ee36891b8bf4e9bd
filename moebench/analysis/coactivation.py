"""Which experts are asked together, and how far one layer's choice tells another's.

Source: co-activation is Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.2, equation 6.
"""

from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from moebench.analysis.information import normalised
from moebench.analysis.seen import Seen
from moebench.analysis.token_table import of_another_window


class CoActivation:
    """How often two experts of a layer are asked for by one token.

    Args:
        layers: number of experts E of each.
    """

    def __init__(self, layers: list[int]) -> None:
        self._together = [torch.zeros(e, e, dtype=torch.double) for e in layers]

    def add(self, seen: Seen) -> None:
        """Count a batch."""
        for layer, choices in enumerate(seen.layers):
            chosen_TE = choices.chosen_BLE.flatten(0, 1).float()
            self._together[layer] += (chosen_TE.T @ chosen_TE).double()

    def findings(self, layer: int) -> dict[str, Any]:
        """Return, for each expert, the share of its tokens that ask for each other one too."""
        both_EE = self._together[layer]
        share_EE = both_EE / both_EE.diagonal().clamp(min=1)[:, None]
        return {"co_activation": share_EE.fill_diagonal_(0).tolist()}


class Agreement:
    """Normalised mutual information of the first choices of two layers, adjusted for chance.

    Zero where the layers choose by themselves, one where either tells the other. Chance is the
    choice of one layer for a window beside that of the other for another window.

    Source: the adjustment is that of Vinh, Epps and Bailey 2010 (JMLR 11), section 3.

    Args:
        layers: number of experts E of each.
        seed: of the other windows.
    """

    def __init__(self, layers: list[int], seed: int = 0) -> None:
        self._layers = len(layers)
        self._joint = {  # the real table, and the one by chance
            (a, b): torch.zeros(2, layers[a], layers[b], dtype=torch.int64)
            for a, b in combinations(range(len(layers)), 2)
        }
        self._generator = torch.Generator().manual_seed(seed)

    def add(self, seen: Seen) -> None:
        """Count a batch."""
        first = [choices.first_BL for choices in seen.layers]
        others = [of_another_window(first_BL, self._generator) for first_BL in first]
        for (a, b), joint in self._joint.items():
            for table, one_BL in zip(joint, (first[a], others[a]), strict=True):
                known_BL = (one_BL >= 0) & (first[b] >= 0)
                cell_T = (one_BL * table.shape[1] + first[b])[known_BL]
                table += cell_T.bincount(minlength=table.numel()).view(table.shape)

    def findings(self) -> list[list[float]]:
        """Return the table of layers against layers, with ones on its diagonal."""
        found: Tensor = torch.eye(self._layers, dtype=torch.double)
        for (a, b), joint in self._joint.items():
            measured, chance = normalised(joint)
            found[a, b] = found[b, a] = (measured - chance) / (1 - chance).clamp(min=1e-300)
        return found.tolist()
