"""Which experts a token requests together, and how well one layer's choice predicts another's.

Source: co-activation: Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.2, equation 6.
"""

from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from moebench.analysis.information import normalised
from moebench.analysis.routed_batch import RoutedBatch
from moebench.analysis.token_table import from_other_windows


class CoActivation:
    """How often two experts of a layer are requested by the same token.

    Args:
        layers: number of experts E of each layer.
    """

    def __init__(self, layers: list[int]) -> None:
        self._together = [torch.zeros(e, e, dtype=torch.double) for e in layers]

    def add(self, batch: RoutedBatch) -> None:
        """Count a batch."""
        for layer, choices in enumerate(batch.layers):
            chosen_TE = choices.chosen_BLE.flatten(0, 1).float()
            self._together[layer] += (chosen_TE.T @ chosen_TE).double()

    def findings(self, layer: int) -> dict[str, Any]:
        """Return, for each expert, the share of its tokens that also request each other expert."""
        both_EE = self._together[layer]
        share_EE = both_EE / both_EE.diagonal().clamp(min=1)[:, None]
        return {"co_activation": share_EE.fill_diagonal_(0).tolist()}


class Agreement:
    """Normalised mutual information of the first choices of two layers, adjusted for chance.

    Zero if the layers choose independently, one if each choice determines the other. The chance
    level pairs the choice of one layer for a window with that of the other for another window.

    Source: the adjustment is that of Vinh, Epps and Bailey 2010 (JMLR 11), section 3.

    Args:
        layers: number of experts E of each layer.
        seed: seed of the pairing of windows.
    """

    def __init__(self, layers: list[int], seed: int = 0) -> None:
        self._layers = len(layers)
        self._joint = {  # the measured table, and that of chance
            (a, b): torch.zeros(2, layers[a], layers[b], dtype=torch.int64)
            for a, b in combinations(range(len(layers)), 2)
        }
        self._generator = torch.Generator().manual_seed(seed)

    def add(self, batch: RoutedBatch) -> None:
        """Count a batch."""
        first = [choices.first_BL for choices in batch.layers]
        others = [from_other_windows(first_BL, self._generator) for first_BL in first]
        for (a, b), joint in self._joint.items():
            for table, one_BL in zip(joint, (first[a], others[a]), strict=True):
                known_BL = (one_BL >= 0) & (first[b] >= 0)
                cell_T = (one_BL * table.shape[1] + first[b])[known_BL]
                table += cell_T.bincount(minlength=table.numel()).view(table.shape)

    def findings(self) -> list[list[float]]:
        """Return the matrix of layers by layers, with ones on its diagonal."""
        found: Tensor = torch.eye(self._layers, dtype=torch.double)
        for (a, b), joint in self._joint.items():
            measured, chance = normalised(joint)
            found[a, b] = found[b, a] = (measured - chance) / (1 - chance).clamp(min=1e-300)
        return found.tolist()
