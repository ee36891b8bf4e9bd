"""Does the choice of experts follow the token itself, and once it is known, still the domain?

Source: vocabulary specialisation is Muennighoff et al. 2024, OLMoE (arXiv 2409.02060), section
5.4, equation 8; that syntax decides rather than topic is said by Jiang et al. 2024, Mixtral (arXiv
2401.04088), section 5.
"""

from typing import Any

import torch
from torch import Tensor

from moebench.analysis.information import (
    conditional_information,
    mutual_information,
    normalised,
)
from moebench.analysis.seen import Choices, Seen
from moebench.analysis.token_table import DealtDomains, Words, of_another_window

NULLS = 4  # permutations; only their mean is used
CELLS = 2**26  # of all tables together: a quarter of a GB
ENOUGH = 10  # times that a token must be seen before an expert is said to read it
SHOWN = 12  # tokens named for an expert


class Vocabulary:
    """Counts of token x domain x expert, for as many of the commonest tokens as memory allows.

    Args:
        layers: number of experts E of each.
        domains: how many, N.
        text: the tokens of all that will be read.
        cells: most numbers to hold.
        seed: of what tokens are paired with by chance.
    """

    def __init__(
        self,
        layers: list[int],
        domains: int,
        text: Words,
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
        # The first table of each is the real one; the others have the domains of each token dealt
        # out anew among the windows that hold it, or the tokens of another window.
        self._count = [torch.zeros(1 + NULLS, size, domains, e, dtype=torch.int32) for e in layers]
        self._moved = [torch.zeros(NULLS, size, e, dtype=torch.int32) for e in layers]
        self._generator = torch.Generator().manual_seed(seed)
        self._dealt = DealtDomains(text.windows_NV.T[self.ids_M], NULLS, seed)

    def add(self, seen: Seen) -> None:
        """Count a batch."""
        place_BL = self._place_V[seen.input_BL]
        moved = [of_another_window(place_BL, self._generator) for _ in range(NULLS)]
        domains = [seen.domain_B[:, None], *self._dealt.read(place_BL)]
        rows = [torch.where(place_BL < 0, -1, place_BL * self._domains + d) for d in domains]
        for layer, choices in enumerate(seen.layers):
            for table_MNE, row_BL in zip(self._count[layer], rows, strict=True):
                _tally(table_MNE.view(-1, choices.num_experts), row_BL, choices)
            for table_ME, place in zip(self._moved[layer], moved, strict=True):
                _tally(table_ME, place, choices)

    def findings(self, layer: int) -> dict[str, Any]:
        """Return what token and domain say of the expert, in nats, each with its null.

        `given_token` is what the domain adds once the token is known; None with one domain alone.
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
        }
        if (count_PMNE[0].sum(dim=(0, 2)) > 0).sum() > 1:
            given_P = conditional_information(count_PMNE)
            found["domain_given_token"] = given_P[0].item()
            found["domain_given_token_null"] = given_P[1:].mean().item()
        return found

    def read_by(self, layer: int, expert: int) -> list[tuple[int, float]]:
        """Return the tokens of which an expert gets the largest share, with that share."""
        count_ME = self._count[layer][0].sum(dim=1)
        seen_M = count_ME.sum(dim=1)
        share_M = count_ME[:, expert] / seen_M.clamp(min=1)
        # Of equal shares that of the commoner token says more; tokens stand in that order.
        order_M = share_M.masked_fill(seen_M < ENOUGH, -1).argsort(descending=True, stable=True)
        best = [m for m in order_M[:SHOWN].tolist() if seen_M[m] >= ENOUGH and share_M[m] > 0]
        return [(int(self.ids_M[m]), float(share_M[m])) for m in best]


def _tally(table_XE: Tensor, row_BL: Tensor, choices: Choices) -> None:
    """Add one for every assignment, in the row of its token; tokens of a negative row are left."""
    window_A, token_A, expert_A = choices.chosen_BLE.nonzero(as_tuple=True)
    row_A = row_BL[window_A, token_A]
    cell_A = (row_A * choices.num_experts + expert_A)[row_A >= 0]
    table_XE.view(-1).index_add_(0, cell_A, torch.ones_like(cell_A, dtype=table_XE.dtype))
