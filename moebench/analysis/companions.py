"""Which experts are asked together, and how far one layer's choice tells another's.

Source: co-activation is Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.2, equation 6.
"""

from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from moebench.analysis.information import normalised
from moebench.analysis.seen import Seen


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
    """Normalised mutual information of the first choices of two layers.

    Args:
        layers: number of experts E of each.
    """

    def __init__(self, layers: list[int]) -> None:
        self._layers = len(layers)
        self._joint = {
            (a, b): torch.zeros(layers[a], layers[b], dtype=torch.int64)
            for a, b in combinations(range(len(layers)), 2)
        }

    def add(self, seen: Seen) -> None:
        """Count a batch."""
        first = [choices.first_BL.flatten() for choices in seen.layers]
        for (a, b), joint in self._joint.items():
            known_T = (first[a] >= 0) & (first[b] >= 0)
            cell_T = (first[a] * joint.shape[1] + first[b])[known_T]
            joint += cell_T.bincount(minlength=joint.numel()).view(joint.shape)

    def findings(self) -> list[list[float]]:
        """Return the table of layers against layers, with ones on its diagonal."""
        found: Tensor = torch.eye(self._layers, dtype=torch.double)
        for (a, b), joint in self._joint.items():
            found[a, b] = found[b, a] = normalised(joint)
        return found.tolist()
