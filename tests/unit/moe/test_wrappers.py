"""What is put around a router: dropout on what it sees, and a temperature."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from moebench.moe.losses import Load
from moebench.moe.routers import (
    ROUTERS,
    Hashed,
    Hierarchical,
    InputDropout,
    NoisyTopK,
    Random,
    Switch,
    Tempered,
)

from .fakes import PROBS_TE, X_TD, with_identity


def test_input_dropout_hides_features_from_the_router_in_training_only() -> None:
    wrapper = InputDropout(3, lambda dim: with_identity(Switch(dim, 3, jitter=0.0)), rate=0.5)
    assert torch.equal(wrapper.eval()(X_TD).logits_TE, X_TD)
    torch.manual_seed(0)
    logits = wrapper.train()(X_TD.expand(2, 3)).logits_TE
    # What is left is doubled, so that its mean stays.
    assert all(
        value in (0.0, *(2 * X_TD).flatten().tolist()) for value in logits.flatten().tolist()
    )


def test_a_temperature_of_a_half_squares_the_probabilities() -> None:
    wrapper = Tempered(3, lambda dim: with_identity(Switch(dim, 3, jitter=0.0)), temperature=0.5)
    decision = wrapper(X_TD)
    squares_TE = PROBS_TE.square()
    torch.testing.assert_close(decision.probs_TE, squares_TE / squares_TE.sum(-1, keepdim=True))
    assert decision.expert_A.tolist() == [2, 0]


def test_a_temperature_divides_scores_and_their_noise_once() -> None:
    torch.manual_seed(0)
    wrapper = Tempered(8, lambda dim: NoisyTopK(dim, 4, k=2), temperature=2.0).train()
    router, x_TD = wrapper.router, torch.randn(50, 8)
    torch.nn.init.normal_(router.score.weight)
    torch.nn.init.normal_(router.noise.weight)
    torch.manual_seed(1)
    noise_TE = torch.randn(50, 4)
    scores_TE = x_TD @ router.score.weight.T + softplus(x_TD @ router.noise.weight.T) * noise_TE
    best_TK, expert_TK = scores_TE.topk(2)
    torch.manual_seed(1)
    decision = wrapper(x_TD)
    assert torch.equal(decision.expert_A, expert_TK.T.flatten())
    torch.testing.assert_close(decision.weight_A, (best_TK / 2).softmax(-1).T.flatten())
    torch.testing.assert_close(decision.probs_TE, (scores_TE / 2).softmax(-1))
    torch.testing.assert_close(Load()(decision), load_of_plain(router, x_TD))


def load_of_plain(router: NoisyTopK, x_TD: Tensor) -> Tensor:
    """The load loss without a temperature: it does not affect the choice."""
    plain = NoisyTopK(8, 4, k=2).train()
    plain.load_state_dict(router.state_dict())
    torch.manual_seed(1)
    loss: Tensor = Load()(plain(x_TD))
    return loss


WITHOUT_SCORES = {"balanced_hash", "hash_table", "hashed", "random"}


@pytest.mark.parametrize("name", sorted(set(ROUTERS) - {*WITHOUT_SCORES, "hierarchical"}))
@pytest.mark.parametrize("train", [True, False])
def test_a_temperature_divides_the_scores_of_every_router(name: str, train: bool) -> None:
    torch.manual_seed(0)
    wrapper = Tempered(8, lambda dim: ROUTERS[name](dim, 4), temperature=0.25).train(train)
    plain = ROUTERS[name](8, 4).train(train)
    for parameter in wrapper.parameters():
        torch.nn.init.normal_(parameter)
    plain.load_state_dict(wrapper.router.state_dict())
    x_TD, found = torch.randn(20, 8), []
    for router in (wrapper, plain):
        torch.manual_seed(1)
        found.append(router(x_TD).logits_TE)
    torch.testing.assert_close(found[0], found[1] / 0.25)


def test_temperatures_multiply_and_reach_both_levels() -> None:
    def twice(dim: int) -> Tempered:
        return Tempered(dim, lambda width: with_identity(Switch(width, 3)), temperature=2.0)

    tempered = Tempered(3, twice, temperature=0.5).eval()
    torch.testing.assert_close(tempered(X_TD).probs_TE, PROBS_TE)
    levels = Tempered(8, lambda dim: Hierarchical(dim, 16), temperature=3.0)
    parts = [levels.router.primary, *levels.router.secondary]
    assert {part.score.temperature for part in parts} == {3.0}


@pytest.mark.parametrize("router", [Hashed, Random])
def test_a_router_without_scores_has_no_temperature(router: type[nn.Module]) -> None:
    message = rf"^router={router.__name__}: has no Score for a temperature to divide$"
    with pytest.raises(ValueError, match=message):
        Tempered(8, lambda dim: router(dim, 4), temperature=2.0)
