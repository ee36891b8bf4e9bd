"""Which assignment is computed in which row, planned on the device and never read by the host.

Every shape follows from the number of assignments: dropped assignments sort to the end, with the
number of experts as their key, and unused tiles get that key as well.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from moebench.moe.decision import RoutingDecision


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The rows R of a decision, one per assignment, and their tiles M of equal height.

    Worked example: tokens 0, 1, 2 go to the experts 1, 0, 1 and the last is dropped. The rows are
    token 1 (expert 0), token 0 (expert 1) and token 2 (dropped), so `start_X` is 0, 1, 2, 3. With
    two rows per tile each expert has one tile: `expert_M` is 0, 1 and `tile_X` is 0, 1, 2.
    """

    num_experts: int
    height: int  # rows of a tile
    assignment_R: Tensor  # int64, the permutation that sorts by expert
    token_R: Tensor  # int32
    start_X: Tensor  # int32, E + 2: first row of each expert, first dropped row, and R
    expert_M: Tensor  # int32, expert of each tile; E: unused
    tile_X: Tensor  # int32, E + 1: first tile of each expert, and first unused tile
    row_A: Tensor  # int32, the rows in order of their tokens
    row_start_X: Tensor  # int32, T + 1: where in `row_A` the rows of each token start, and A

    @property
    def kept_R(self) -> Tensor:
        """Whether a row is computed."""
        row_R = torch.arange(self.token_R.numel(), device=self.token_R.device)
        return row_R < self.start_X[self.num_experts]


def make_plan(decision: RoutingDecision, height: int) -> Plan:
    """Return the plan of a decision with at least one assignment.

    Args:
        decision: which token goes where.
        height: rows per tile.
    """
    num_experts, device = decision.num_experts, decision.token_A.device

    def count_up(end: int) -> Tensor:
        return torch.arange(end, dtype=torch.int32, device=device)

    key_A = decision.expert_A.masked_fill(~decision.kept_A, num_experts).to(torch.int32)
    key_R, assignment_R = key_A.sort(stable=True)
    start_X = torch.searchsorted(key_R, count_up(num_experts + 2), out_int32=True)
    tiles_E = start_X[:-1].diff().add(height - 1).div(height, rounding_mode="floor")
    last_E = tiles_E.cumsum(0, dtype=torch.int32)
    rows = key_A.numel()
    tiles = min(rows, (rows + num_experts * (height - 1)) // height)  # never more, however uneven
    token_A, by_token_A = decision.token_A.to(torch.int32).sort(stable=True)
    row_of_A = torch.empty_like(key_A).scatter_(0, assignment_R, count_up(rows))
    return Plan(
        num_experts=num_experts,
        height=height,
        assignment_R=assignment_R,
        token_R=decision.token_A.index_select(0, assignment_R).to(torch.int32),
        start_X=start_X,
        expert_M=torch.searchsorted(last_E, count_up(tiles), right=True, out_int32=True),
        tile_X=torch.nn.functional.pad(last_E, (1, 0)),
        row_A=row_of_A.index_select(0, by_token_A),
        row_start_X=torch.searchsorted(token_A, count_up(decision.num_tokens + 1), out_int32=True),
    )
