"""One batch as routed: its tokens, their domains, and which experts every layer chose.

More shape suffixes: B windows, L tokens in a window, E experts, N domains, P permutations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from moebench.moe.decision import RoutingDecision

NO_EXPERT = -1  # first choice of a token that requests no expert


@dataclass(frozen=True)
class Choices:
    """The experts that the tokens of a batch requested in one layer, before capacity."""

    chosen_BLE: Tensor  # bool
    first_BL: Tensor  # int64: the expert with the largest weight; NO_EXPERT if there is none
    probs_BLE: Tensor  # float32

    @classmethod
    def of(cls, decision: RoutingDecision, windows: int) -> "Choices":
        """Return the choices in a decision for the tokens of `windows` consecutive windows."""
        probs_TE = decision.probs_TE.detach().float().cpu()
        token_A, requested_A = decision.token_A.cpu(), decision.requested_A.cpu()
        weight_TE = torch.full(probs_TE.shape, -torch.inf)
        weight_TE[token_A, requested_A] = decision.weight_A.detach().float().cpu()
        chosen_TE = weight_TE > -torch.inf
        first_T = weight_TE.argmax(dim=-1).masked_fill(~chosen_TE.any(dim=-1), NO_EXPERT)
        size = (windows, -1)
        return cls(
            chosen_BLE=chosen_TE.view(*size, chosen_TE.shape[1]),
            first_BL=first_T.view(size),
            probs_BLE=probs_TE.view(*size, probs_TE.shape[1]),
        )

    @property
    def num_experts(self) -> int:
        """Number of experts E."""
        return self.chosen_BLE.shape[-1]


@dataclass(frozen=True)
class RoutedBatch:
    """One batch with the choices of all layers."""

    input_BL: Tensor  # int64
    domain_B: Tensor  # int64, of each window
    null_PB: Tensor  # int64: permuted domains, for the null
    layers: Sequence[Choices]
