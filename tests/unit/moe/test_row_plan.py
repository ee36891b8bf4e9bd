"""Plans: each kept row in one tile of its expert, whatever the counts, and unseen by the host."""

from dataclasses import replace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch.fused.row_plan import Plan, make_plan


def decide(expert_TK: torch.Tensor, num_experts: int) -> RoutingDecision:
    scores_TE = torch.zeros(len(expert_TK), num_experts)
    return tokens_choose(scores_TE, scores_TE.softmax(-1), expert_TK, torch.ones(expert_TK.shape))


def test_by_hand() -> None:
    """Tokens 0, 1, 2 go to the experts 1, 0, 1, and the last one is dropped."""
    decision = decide(torch.tensor([[1], [0], [1]]), num_experts=2)
    decision = replace(decision, kept_A=torch.tensor([True, True, False]))
    plan = make_plan(decision, height=2)
    assert plan.token_R.tolist() == [1, 0, 2]
    assert plan.kept_R.tolist() == [True, True, False]
    assert plan.start_X.tolist() == [0, 1, 2, 3]
    assert plan.expert_M.tolist() == [0, 1]
    assert plan.tile_X.tolist() == [0, 1, 2]
    assert plan.row_A.tolist() == [1, 0, 2]
    assert plan.row_start_X.tolist() == [0, 1, 2, 3]


def served(plan: Plan) -> list[tuple[int, int]]:
    """Return row and expert of all that the tiles cover, as a kernel reads them."""
    found = []
    for tile, expert in enumerate(plan.expert_M.tolist()):
        if expert < plan.num_experts:
            start, end = plan.start_X[expert : expert + 2].tolist()
            first = start + (tile - int(plan.tile_X[expert])) * plan.height
            found += [(row, expert) for row in range(first, min(first + plan.height, end))]
    return found


@pytest.mark.parametrize("height", [1, 4, 16])
@pytest.mark.parametrize(("num_tokens", "num_experts", "k"), [(9, 4, 2), (5, 64, 6), (33, 1, 1)])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_each_kept_row_is_served_once(
    share: float, num_tokens: int, num_experts: int, k: int, height: int
) -> None:
    generator = torch.Generator().manual_seed(num_experts)
    liked_TE = torch.rand(num_tokens, num_experts, generator=generator).cumsum(-1)  # the last most
    decision = decide(liked_TE.topk(k).indices, num_experts)
    kept_A = torch.rand(num_tokens * k, generator=generator) >= share
    plan = make_plan(replace(decision, kept_A=kept_A), height)
    rows = [plan.assignment_R[row].item() for row, _ in served(plan)]
    assert sorted(rows) == kept_A.nonzero().flatten().tolist()
    assert [expert for _, expert in served(plan)] == decision.expert_A[rows].tolist()
    token_R = decision.token_A[plan.assignment_R]
    assert plan.token_R.tolist() == token_R.tolist()
    for token in range(num_tokens):
        own = slice(*plan.row_start_X[token : token + 2].tolist())
        assert token_R[plan.row_A[own].long()].tolist() == [token] * k


def test_the_host_reads_nothing() -> None:
    """Tensors without numbers, which raise where one is read, are enough."""
    with FakeTensorMode() as mode:
        decision = decide(torch.zeros(8, 2, dtype=torch.int64), num_experts=4)
        plan = make_plan(decision, height=4)
        assert plan.kept_R.shape == (16,)
    assert mode.shape_env is None
