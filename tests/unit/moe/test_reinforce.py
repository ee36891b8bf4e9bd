"""REINFORCE, checkable with a pencil."""

import pytest
import torch

from moebench.moe.decision import RoutingDecision
from moebench.moe.routers import Reinforce
from moebench.moe.routers.reinforce import surrogate

from .fakes import X_TD, assert_shares, by_tokens, rows, with_identity


def test_reinforce_compares_a_token_with_the_others() -> None:
    router = with_identity(Reinforce(3, 3)).eval()  # which picks experts 2 and 0
    assert rows(router(X_TD)) == [(0, 2, 1.0), (1, 0, 1.0)]
    # Changes of the loss of 3 and 1: each less the other's, 2 and -2, times one-hot minus p.
    expected = torch.tensor([[-0.25, -0.5, 0.75], [-0.8, 0.6, 0.2]])
    torch.testing.assert_close(by_tokens(router, X_TD, [3.0, 1.0]), expected)
    alone = with_identity(Reinforce(3, 3, baseline=False)).eval()
    scaled = expected * torch.tensor([[3 / 2], [-1 / 2]])
    torch.testing.assert_close(by_tokens(alone, X_TD, [3.0, 1.0]), scaled)
    single = torch.tensor([[-3 / 8, -6 / 8, 9 / 8]])
    torch.testing.assert_close(by_tokens(router, X_TD[:1], [3.0]), single)


def test_reinforce_draws_its_expert_in_training_only() -> None:
    router = with_identity(Reinforce(3, 3))
    assert_shares(router)
    assert set(router.eval()(X_TD[:1].expand(99, 3)).expert_A.tolist()) == {2}


@pytest.mark.parametrize(("baseline", "factor"), [(True, (1.0, 1.0)), (False, (1.5, -0.5))])
def test_surrogate_takes_the_whole_loss(baseline: bool, factor: tuple[float, float]) -> None:
    x_TD = X_TD.clone().requires_grad_()
    decision: RoutingDecision = with_identity(Reinforce(3, 3)).eval()(x_TD)
    surrogate(decision, torch.tensor([3.0, 1.0]), baseline).backward()
    # As above, over two tokens.
    expected = torch.tensor([[-0.25, -0.5, 0.75], [-0.8, 0.6, 0.2]]) / 2
    torch.testing.assert_close(x_TD.grad, expected * torch.tensor(factor)[:, None])


def test_surrogate_without_tokens_is_zero() -> None:
    decision = Reinforce(3, 3)(X_TD[:0])
    assert surrogate(decision, torch.zeros(0)).item() == 0
