"""The sequence-wise balance loss, checkable with a pencil."""

import pytest
import torch

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.losses import LoadBalance, SequenceBalance


def decide(probs: list[list[float]], *experts: int) -> RoutingDecision:
    probs_TE = torch.tensor(probs, dtype=torch.float64, requires_grad=True)
    expert_TK = torch.tensor(experts)[:, None]
    return tokens_choose(probs_TE.log(), probs_TE, expert_TK, probs_TE.gather(1, expert_TK))


def test_by_hand() -> None:
    """Two sequences of two tokens and two experts.

    The first asks for expert 0 twice, P = 0.75, 0.25: 2 * (1 * 0.75) = 1.5. The second asks for
    each once, P = 0.5, 0.5: 2 * (0.5 * 0.5 + 0.5 * 0.5) = 1. The mean is 1.25.
    """
    probs = [[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.2, 0.8]]
    decision = decide(probs, 0, 0, 0, 1)
    loss = SequenceBalance(2)(decision)
    assert loss.item() == pytest.approx(1.25)
    (slope_TE,) = torch.autograd.grad(loss, decision.probs_TE)
    # d/dp of 2 * share * mean / 2 sequences: share / 2 for each of two tokens.
    expected = [[0.5, 0.0], [0.5, 0.0], [0.25, 0.25], [0.25, 0.25]]
    assert slope_TE.tolist() == expected


def test_sequences_that_differ_are_uneven_though_the_batch_is_even() -> None:
    decision = decide([[1.0, 0.0]] * 2 + [[0.0, 1.0]] * 2, 0, 0, 1, 1)
    assert SequenceBalance(2)(decision).item() == pytest.approx(2.0)
    assert SequenceBalance(4)(decision).item() == pytest.approx(1.0)
    torch.testing.assert_close(SequenceBalance(4)(decision), LoadBalance()(decision))


def test_two_choices_of_a_token_share_one_request() -> None:
    probs_TE = torch.tensor([[0.5, 0.4, 0.1], [0.4, 0.3, 0.3]])
    expert_TK = torch.tensor([[0, 1], [0, 2]])
    decision = tokens_choose(probs_TE.log(), probs_TE, expert_TK, probs_TE.gather(1, expert_TK))
    expected = 3 * (0.5 * 0.45 + 0.25 * 0.35 + 0.25 * 0.2)
    assert SequenceBalance(2)(decision).item() == pytest.approx(expected)


def test_parts_of_sequences_are_refused() -> None:
    decision = decide([[0.5, 0.5]] * 3, 0, 1, 0)
    with pytest.raises(ValueError, match="length=2: does not divide the 3 tokens of a batch"):
        SequenceBalance(2)(decision)
    with pytest.raises(ValueError, match="length=0: must be at least 1"):
        SequenceBalance(0)
