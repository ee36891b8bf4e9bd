"""The loss over blocks: one block is a batch, and blocks may not balance one another out."""

import pytest
import torch

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.losses import LoadBalance
from reproductions.disputes.block_balance import BlockBalance

E, TOKENS = 4, 32


def decision(logits_TE: torch.Tensor) -> RoutingDecision:
    probs_TE = logits_TE.softmax(dim=-1)
    weight_T1, expert_T1 = probs_TE.max(dim=-1, keepdim=True)
    return tokens_choose(logits_TE, probs_TE, expert_T1, weight_T1)


def test_one_block_is_a_batch_and_several_are_averaged() -> None:
    torch.manual_seed(0)
    logits_TE = torch.randn(TOKENS, E)
    whole = decision(logits_TE)
    assert BlockBalance(TOKENS)(whole) == pytest.approx(LoadBalance()(whole).item())
    halves = [LoadBalance()(decision(half)) for half in logits_TE.split(TOKENS // 2)]
    assert BlockBalance(TOKENS // 2)(whole) == pytest.approx(sum(halves).item() / 2)


def test_blocks_that_use_different_experts_are_uneven() -> None:
    expert_T = torch.arange(TOKENS) // (TOKENS // E)  # each quarter its own expert
    routed = decision(9.0 * torch.nn.functional.one_hot(expert_T, E).float())
    assert BlockBalance(TOKENS)(routed) == pytest.approx(1, abs=0.01)
    assert BlockBalance(TOKENS // E)(routed) > 3.9
