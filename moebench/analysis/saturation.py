"""How much of the final routing an earlier checkpoint already has.

Source: Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.1, equation 5.
"""

from collections.abc import Sequence

import torch

from moebench.analysis.routed_batch import Choices


class Saturation:
    """The share of a token's final experts that an earlier model already requests.

    Args:
        layers: number of experts E of each layer.
    """

    def __init__(self, layers: list[int]) -> None:
        # Per layer: experts requested by both, tokens with the same first expert, tokens; and how
        # often the earlier and the later model requested each expert.
        self._sum_Y3 = torch.zeros(len(layers), 3, dtype=torch.double)
        self._asked = [torch.zeros(2, experts, dtype=torch.double) for experts in layers]

    def add(self, earlier: Sequence[Choices], later: Sequence[Choices]) -> None:
        """Count a batch that both models have batch."""
        for layer, (before, after) in enumerate(zip(earlier, later, strict=True)):
            counts = [
                (before.chosen_BLE & after.chosen_BLE).sum(),
                (before.first_BL == after.first_BL).sum(),
                torch.tensor(after.first_BL.numel()),
            ]
            self._sum_Y3[layer] += torch.stack([count.double() for count in counts])
            for place, choices in enumerate((before, after)):
                self._asked[layer][place] += choices.chosen_BLE.sum(dim=(0, 1))

    def findings(self, layer: int) -> dict[str, float]:
        """Return saturation, its chance level, and the saturation of first choices.

        At the chance level the earlier model requests each expert as often, but for random tokens.
        """
        both, first, tokens = self._sum_Y3[layer].tolist()
        before_E, after_E = self._asked[layer]
        asked = max(1.0, after_E.sum().item())
        return {
            "saturation": both / asked,
            "chance": (before_E @ after_E).item() / max(1.0, tokens) / asked,
            "first": first / max(1.0, tokens),
        }
