"""Do consecutive tokens go to the same experts more often than by chance?

Source: Jiang et al. 2024, Mixtral (arXiv 2401.04088), section 5 and Table 5. There the chance level
is 1/8, that of an even load; here it is that of a shuffle of the same window, which keeps the load.
The mean over all shuffles is computed exactly, without drawing any.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from moebench.analysis.routed_batch import NO_EXPERT, Choices, RoutedBatch

FIELDS = ("first", "first_null", "any", "any_null")


class Repeats:
    """The share of consecutive tokens with the same first expert, and with any expert in common.

    Args:
        layers: number of layers.
        domains: number N of domains.
    """

    def __init__(self, layers: int, domains: int) -> None:
        self._windows_N = torch.zeros(domains, dtype=torch.double)
        self._sum_YNF = torch.zeros(layers, domains, len(FIELDS), dtype=torch.double)
        self._excess_Y2 = torch.zeros(layers, 2, dtype=torch.double)
        self._square_Y2 = torch.zeros(layers, 2, dtype=torch.double)

    def add(self, batch: RoutedBatch) -> None:
        """Count a batch; windows of one token have no consecutive ones."""
        if batch.input_BL.shape[1] < 2:
            return
        self._windows_N += batch.domain_B.bincount(minlength=len(self._windows_N))
        for layer, choices in enumerate(batch.layers):
            share_BF = torch.stack([*first_repeats(choices), *any_repeats(choices)], dim=1)
            self._sum_YNF[layer].index_add_(0, batch.domain_B, share_BF)
            excess_B2 = share_BF[:, 0::2] - share_BF[:, 1::2]
            self._excess_Y2[layer] += excess_B2.sum(dim=0)
            self._square_Y2[layer] += excess_B2.square().sum(dim=0)

    def findings(self, layer: int) -> dict[str, Any]:
        """Return shares, nulls and excesses over all windows, and the shares by domain.

        `first_se` and `any_se` are standard errors of the excess, from its spread over windows.
        """
        windows = self._windows_N.sum().clamp(min=1)
        mean_F = (self._sum_YNF[layer].sum(dim=0) / windows).tolist()
        by_domain_NF = self._sum_YNF[layer] / self._windows_N.clamp(min=1)[:, None]
        found: dict[str, Any] = dict(zip(FIELDS, mean_F, strict=True))
        excess_2 = self._excess_Y2[layer] / windows
        variance_2 = (self._square_Y2[layer] / windows - excess_2.square()).clamp(min=0)
        for place, name in enumerate(("first", "any")):
            found[f"{name}_excess"] = excess_2[place].item()
            found[f"{name}_se"] = (variance_2[place] / windows).sqrt().item()
        found["by_domain"] = {
            name: by_domain_NF[:, place].tolist() for place, name in enumerate(FIELDS)
        }
        return found


def first_repeats(choices: Choices) -> tuple[Tensor, Tensor]:
    """Return share_B of consecutive tokens with the same first expert, and its shuffled mean."""
    first_BL = choices.first_BL
    same = (first_BL[:, 1:] == first_BL[:, :-1]) & (first_BL[:, 1:] != NO_EXPERT)
    count_BE = one_hot(first_BL + 1, choices.num_experts + 1)[..., 1:].sum(dim=1).double()
    length = first_BL.shape[1]
    null_B = (count_BE * (count_BE - 1)).sum(dim=-1) / (length * (length - 1))
    return same.double().mean(dim=1), null_B


def any_repeats(choices: Choices) -> tuple[Tensor, Tensor]:
    """Return share_B of consecutive tokens with an expert in common, and its shuffled mean."""
    chosen_BLE = choices.chosen_BLE
    share_B = (chosen_BLE[:, 1:] & chosen_BLE[:, :-1]).any(dim=-1).double().mean(dim=1)
    length = chosen_BLE.shape[1]
    nulls = []
    for chosen_LE in chosen_BLE.float():  # one at a time: the table of pairs is L x L
        meet_LL = chosen_LE @ chosen_LE.T > 0
        pairs = meet_LL.sum() - meet_LL.diagonal().sum()
        nulls.append(pairs.double() / (length * (length - 1)))
    return share_B, torch.stack(nulls)
