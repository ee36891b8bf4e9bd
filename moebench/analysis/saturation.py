"""How much of the final routing an earlier state of the model has already.

Source: Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.1, equation 5.
"""

from collections.abc import Sequence

import torch

from moebench.analysis.seen import Choices


class Saturation:
    """The share of a token's final experts that an earlier model asks for, too.

    Args:
        layers: how many.
    """

    def __init__(self, layers: int) -> None:
        # Of each layer: experts asked by both, by the later one, tokens with one first expert,
        # tokens, and what is expected of the first sum if the earlier one chose by chance.
        self._sum_Y5 = torch.zeros(layers, 5, dtype=torch.double)

    def add(self, earlier: Sequence[Choices], later: Sequence[Choices]) -> None:
        """Count a batch that both have seen."""
        for layer, (before, after) in enumerate(zip(earlier, later, strict=True)):
            asked = after.chosen_BLE.sum()
            chance = before.chosen_BLE.double().mean()
            counts = [
                (before.chosen_BLE & after.chosen_BLE).sum(),
                asked,
                (before.first_BL == after.first_BL).sum(),
                torch.tensor(after.first_BL.numel()),
                asked * chance,
            ]
            self._sum_Y5[layer] += torch.stack([count.double() for count in counts])

    def findings(self, layer: int) -> dict[str, float]:
        """Return saturation, what chance alone would give, and the same of first choices."""
        both, asked, first, tokens, chance = self._sum_Y5[layer].tolist()
        return {
            "saturation": both / max(1.0, asked),
            "chance": chance / max(1.0, asked),
            "first": first / max(1.0, tokens),
        }
