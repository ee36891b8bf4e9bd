"""Does the choice of experts follow the domain of the text?

Source: specialisation: Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.3, equation 7;
the question: Jiang et al. 2024, Mixtral (arXiv 2401.04088), section 5 and Figure 7.
"""

from typing import Any

import torch
from torch import Tensor

from moebench.analysis.information import normalised
from moebench.analysis.routed_batch import RoutedBatch


class Domains:
    """How often the tokens of each domain request each expert.

    Args:
        layers: number of experts E of each layer.
        domains: number N of domains.
        permutations: number P of permutations for the null.
    """

    def __init__(self, layers: list[int], domains: int, permutations: int) -> None:
        self._tokens_N = torch.zeros(domains, dtype=torch.double)
        self._count = [torch.zeros(domains, e, dtype=torch.double) for e in layers]
        self._null = [torch.zeros(permutations, domains, e, dtype=torch.double) for e in layers]

    def add(self, batch: RoutedBatch) -> None:
        """Count a batch."""
        length, domains = batch.input_BL.shape[1], len(self._tokens_N)
        self._tokens_N += length * batch.domain_B.bincount(minlength=domains)
        belongs_PNB = (batch.null_PB[:, None] == torch.arange(domains)[:, None]).double()
        for layer, choices in enumerate(batch.layers):
            count_BE = choices.chosen_BLE.sum(dim=1).double()
            self._count[layer].index_add_(0, batch.domain_B, count_BE)
            self._null[layer] += belongs_PNB @ count_BE

    def load(self, layer: int) -> Tensor:
        """Return load_E, each expert's share of all requests."""
        count_E = self._count[layer].sum(dim=0)
        return count_E / count_E.sum().clamp(min=1)

    def findings(self, layer: int) -> dict[str, Any]:
        """Return load, specialisation (N rows of E) and normalised mutual information.

        `nmi_null` is the mean over the permutations, `nmi_null_high` their 97.5% quantile; None
        with a single domain.
        """
        count_NE = self._count[layer]
        found: dict[str, Any] = {
            "load": self.load(layer).tolist(),
            "specialisation": (count_NE / self._tokens_N.clamp(min=1)[:, None]).tolist(),
            "nmi": None,
            "nmi_null": None,
            "nmi_null_high": None,
        }
        if (self._tokens_N > 0).sum() > 1:
            null_P = normalised(self._null[layer])
            found["nmi"] = normalised(count_NE).item()
            found["nmi_null"] = null_P.mean().item()
            found["nmi_null_high"] = null_P.quantile(0.975).item()
        return found
