"""How certain a router is: its largest probability, and the margin over the second largest."""

from typing import Any

import torch

from moebench.analysis.routed_batch import RoutedBatch

BINS = 20


class Certainty:
    """Confidence, margin and entropy of the probabilities: means and histograms over tokens.

    Args:
        layers: number of layers.
    """

    def __init__(self, layers: int) -> None:
        self._tokens = 0
        self._sum_Y3 = torch.zeros(layers, 3, dtype=torch.double)
        self._histogram = torch.zeros(layers, 2, BINS, dtype=torch.double)

    def add(self, batch: RoutedBatch) -> None:
        """Count a batch."""
        self._tokens += batch.input_BL.numel()
        for layer, choices in enumerate(batch.layers):
            probs_TE = choices.probs_BLE.flatten(0, 1)
            top_T2 = probs_TE.topk(min(2, choices.num_experts), dim=-1).values
            confidence_T = top_T2[:, 0]
            margin_T = confidence_T - top_T2[:, 1] if choices.num_experts > 1 else confidence_T
            entropy_T = torch.special.entr(probs_TE).sum(dim=-1)
            for place, value_T in enumerate((confidence_T, margin_T, entropy_T)):
                self._sum_Y3[layer, place] += value_T.double().sum()
            for place, value_T in enumerate((confidence_T, margin_T)):
                self._histogram[layer, place] += value_T.histc(BINS, 0, 1).double()

    def findings(self, layer: int) -> dict[str, Any]:
        """Return means, and the share of tokens in each of `BINS` equal bins from 0 to 1."""
        tokens = max(1, self._tokens)
        means = (self._sum_Y3[layer] / tokens).tolist()
        found: dict[str, Any] = dict(zip(("confidence", "margin", "entropy"), means, strict=True))
        shares = (self._histogram[layer] / tokens).tolist()
        found["confidence_histogram"], found["margin_histogram"] = shares
        return found
