"""Does the choice of experts follow the token itself, and beyond the token, the domain?

Source: vocabulary specialisation: Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section 5.4,
equation 8; syntax rather than topic: Jiang et al. 2024, Mixtral (arXiv 2401.04088), section 5.
"""

from typing import Any

import torch
from torch import Tensor

from moebench.analysis.information import (
    conditional_information,
    most_information,
    mutual_information,
    normalised,
)
from moebench.analysis.routed_batch import Choices, RoutedBatch
from moebench.analysis.token_table import PermutedDomains, TokenCounts, from_other_windows

NULLS = 4  # permutations; only their mean is used
CELLS = 2**26  # of all tables together: a quarter of a GB
ENOUGH = 10  # occurrences of a token before it is attributed to an expert
SHOWN = 12  # tokens listed for an expert


class Vocabulary:
    """Counts of token x domain x expert, for as many of the most frequent tokens as memory allows.

    Args:
        layers: number of experts E of each layer.
        domains: number N of domains.
        text: token counts of the whole text that will be read.
        cells: most numbers to hold.
        seed: seed of the null.
    """

    def __init__(
        self,
        layers: list[int],
        domains: int,
        text: TokenCounts,
        cells: int = CELLS,
        seed: int = 0,
    ) -> None:
        self._domains = domains
        frequency_V = text.frequency_V
        of_a_token = sum(layers) * (domains * (1 + NULLS) + NULLS)
        common_M = frequency_V.argsort(descending=True, stable=True)[: max(1, cells // of_a_token)]
        self.ids_M = common_M[frequency_V[common_M] > 0]
        self.covered = (frequency_V[self.ids_M].sum() / frequency_V.sum().clamp(min=1)).item()
        self._place_V = torch.full((len(frequency_V),), -1)
        self._place_V[self.ids_M] = torch.arange(len(self.ids_M))
        size = len(self.ids_M)
        # The first table of each is the measured one; the others are nulls, with the domains of
        # each token permuted among the windows that contain it, or the tokens of another window.
        self._count = [torch.zeros(1 + NULLS, size, domains, e, dtype=torch.int32) for e in layers]
        self._moved = [torch.zeros(NULLS, size, e, dtype=torch.int32) for e in layers]
        self._generator = torch.Generator().manual_seed(seed)
        self._permuted = PermutedDomains(text.windows_NV.T[self.ids_M], NULLS, seed)

    def add(self, batch: RoutedBatch) -> None:
        """Count a batch."""
        place_BL = self._place_V[batch.input_BL]
        moved = [from_other_windows(place_BL, self._generator) for _ in range(NULLS)]
        domains = [batch.domain_B[:, None], *self._permuted.read(place_BL)]
        rows = [torch.where(place_BL < 0, -1, place_BL * self._domains + d) for d in domains]
        for layer, choices in enumerate(batch.layers):
            for table_MNE, row_BL in zip(self._count[layer], rows, strict=True):
                _tally(table_MNE.view(-1, choices.num_experts), row_BL, choices)
            for table_ME, place in zip(self._moved[layer], moved, strict=True):
                _tally(table_ME, place, choices)

    def findings(self, layer: int) -> dict[str, Any]:
        """Return the information of token and domain about the expert, in nats, with its null.

        `domain_given_token` is what the domain adds to the token, and `domain_given_token_most` the
        most that it could; None with a single domain.
        """
        count_PMNE = self._count[layer]
        count_ME = count_PMNE[0].sum(dim=1)
        found = {
            "nmi": normalised(count_ME).item(),
            "nmi_null": normalised(self._moved[layer]).mean().item(),
            "information": mutual_information(count_ME).item(),
            "information_null": mutual_information(self._moved[layer]).mean().item(),
            "domain_given_token": None,
            "domain_given_token_null": None,
            "domain_given_token_most": None,
        }
        if (count_PMNE[0].sum(dim=(0, 2)) > 0).sum() > 1:
            given_P = conditional_information(count_PMNE)
            found["domain_given_token"] = given_P[0].item()
            found["domain_given_token_null"] = given_P[1:].mean().item()
            found["domain_given_token_most"] = most_information(count_PMNE[0]).item()
        return found

    def tokens_of(self, layer: int, expert: int) -> list[tuple[int, float]]:
        """Return the tokens of which an expert gets the largest shares, with these shares."""
        count_ME = self._count[layer][0].sum(dim=1)
        seen_M = count_ME.sum(dim=1)
        share_M = count_ME[:, expert] / seen_M.clamp(min=1)
        # The stable sort puts the more frequent of two tokens with equal shares first.
        order_M = share_M.masked_fill(seen_M < ENOUGH, -1).argsort(descending=True, stable=True)
        best = [m for m in order_M[:SHOWN].tolist() if seen_M[m] >= ENOUGH and share_M[m] > 0]
        return [(int(self.ids_M[m]), float(share_M[m])) for m in best]


def _tally(table_XE: Tensor, row_BL: Tensor, choices: Choices) -> None:
    """Add one for every assignment, in the row of its token; negative rows are skipped."""
    window_A, token_A, expert_A = choices.chosen_BLE.nonzero(as_tuple=True)
    row_A = row_BL[window_A, token_A]
    cell_A = (row_A * choices.num_experts + expert_A)[row_A >= 0]
    table_XE.view(-1).index_add_(0, cell_A, torch.ones_like(cell_A, dtype=table_XE.dtype))
