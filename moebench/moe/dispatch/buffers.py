"""One buffer of equal size per expert and a batched matrix product; empty rows are computed too.

Source: Lepikhin et al. 2020, GShard (arXiv 2006.16668), section 2.2 and algorithm 1: static shapes
require this form, and it makes a larger capacity factor cost time.
"""

import torch
from torch import Tensor, nn

from moebench.moe.capacity.queues import place_in_queue
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.combine import combine


class Buffers(nn.Module):
    """Dispatcher with buffers as large as the fullest expert, or with `rows` rows if that is given.

    Args:
        rows: rows C of each buffer; None: as many as the fullest expert needs.
    """

    def __init__(self, rows: int | None = None) -> None:
        super().__init__()
        if rows is not None and rows < 1:
            raise ValueError(f"rows={rows}: a buffer needs at least 1 row")
        self.rows = rows

    def forward(self, x_TD: Tensor, decision: RoutingDecision, experts: nn.Module) -> Tensor:
        """Return y_TD.

        Raises:
            ValueError: if an expert keeps more rows than fit its buffer.
        """
        row_R = decision.kept_A.nonzero().squeeze(-1)
        expert_R, token_R = decision.expert_A[row_R], decision.token_A[row_R]
        fullest = int(expert_R.bincount(minlength=1).max())
        rows = fullest if self.rows is None else self.rows
        if fullest > rows:
            raise ValueError(f"rows={rows}: an expert keeps {fullest} rows; limit the router first")
        place_R = place_in_queue(expert_R, waiting_A=torch.ones_like(expert_R, dtype=torch.bool))
        slot_R = expert_R * rows + place_R
        x_SD = x_TD.new_zeros(decision.num_experts * rows, x_TD.shape[1])
        x_SD = x_SD.index_copy(0, slot_R, x_TD.index_select(0, token_R))
        # Expanded on purpose: experts recognise equal counts by the stride of zero.
        count_E = row_R.new_tensor(rows).expand(decision.num_experts)
        y_RD = experts(x_SD, count_E).index_select(0, slot_R)
        return combine(y_RD, decision.weight_A.index_select(0, row_R), token_R, like_TD=x_TD)
