"""Expert choice: who takes what, what it sees, and what is refused."""

from collections.abc import Mapping
from types import MappingProxyType

import pytest
import torch
from torch import Tensor, nn

from moebench.moe.losses.threshold import ThresholdGap
from moebench.moe.sees import Sees
from moebench.testing import RouterContract
from moebench.testing.sight import LENGTH, measured
from moebench.testing.tokens import D
from reproductions.disputes.thresholded_choice import ThresholdedChoice

E, L = 4, 8
X_TD = torch.randn(4 * L, 6, generator=torch.Generator().manual_seed(0))


def taken(router: ThresholdedChoice, x_TD: Tensor) -> Tensor:
    """Return taken_TE of a decision."""
    decision = router(x_TD)
    taken_TE = torch.zeros(len(x_TD), E, dtype=torch.bool)
    taken_TE[decision.token_A, decision.expert_A] = True
    return taken_TE


def test_the_example_of_the_docstring() -> None:
    router = ThresholdedChoice(1, 2, k=1)
    first_T = torch.tensor([0.9, 0.8, 0.6, 0.3])
    with torch.no_grad():
        router.score.weight.copy_(torch.tensor([[1.0], [0.0]]))
    decision = router(first_T.logit()[:, None])
    pairs = list(zip(decision.expert_A.tolist(), decision.token_A.tolist(), strict=True))
    assert sorted(pairs) == [(0, 0), (0, 1), (1, 2), (1, 3)]
    assert decision.weight_A.tolist() == pytest.approx([0.9, 0.8, 0.4, 0.7])


@pytest.mark.parametrize("group", [None, L])
def test_every_expert_takes_its_share_of_every_group(group: int | None) -> None:
    torch.manual_seed(1)
    taken_TE = taken(ThresholdedChoice(6, E, k=2, group=group), X_TD)
    size = group or len(X_TD)
    assert (taken_TE.unflatten(0, (-1, size)).sum(dim=1) == 2 * size // E).all()


def test_a_group_is_chosen_from_as_if_it_were_alone() -> None:
    torch.manual_seed(1)
    router = ThresholdedChoice(6, E, group=L)
    apart = torch.cat([taken(router, x_LD) for x_LD in X_TD.split(L)])
    assert taken(router, X_TD).equal(apart)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("group", [None, 3 * LENGTH, LENGTH, LENGTH // 2])
def test_it_sees_what_it_says(group: int | None, training: bool) -> None:
    torch.manual_seed(0)
    router = ThresholdedChoice(D, E, group=group).train(training)
    said = router.sees(LENGTH, training)
    assert said == (Sees.TOKEN if not training else Sees.SEQUENCE if inside(group) else Sees.BATCH)
    assert measured(router) == said


def inside(group: int | None) -> bool:
    """Whether no group crosses the border of a sequence."""
    return group in (LENGTH, LENGTH // 2)


class TestThresholdedChoice(RouterContract):
    """What is asked of every router; tests of its own are below."""

    no_gradient_to: Mapping[str, str] = MappingProxyType(
        {"threshold_E": "only ThresholdGap trains the thresholds"}
    )

    def make(self, dim: int, num_experts: int) -> nn.Module:
        """Return the router under test."""
        return ThresholdedChoice(dim, num_experts, k=1)


def test_outside_training_a_token_alone_decides() -> None:
    torch.manual_seed(1)
    router = ThresholdedChoice(6, E).eval()
    with torch.no_grad():
        router.threshold_E.fill_(0.25)
    alone = torch.cat([taken(router, x_D[None]) for x_D in X_TD])
    assert taken(router, X_TD).equal(alone)


def test_thresholds_learn_to_take_what_experts_take() -> None:
    torch.manual_seed(1)
    router = ThresholdedChoice(6, E, k=1)
    optimizer = torch.optim.Adam([router.threshold_E], lr=0.005)
    for _ in range(300):
        optimizer.zero_grad()
        ThresholdGap()(router(X_TD)).backward()
        optimizer.step()
    chosen_TE = taken(router, X_TD)
    assert (taken(router.eval(), X_TD) == chosen_TE).float().mean() > 0.95


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"k": 5}, "k=5: must lie between 1 and num_experts=4"),
        ({"group": 1, "k": 2}, "group=1: of so few tokens, 4 experts take none"),
    ],
)
def test_what_no_expert_could_choose_from_is_refused(arguments: dict[str, int], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ThresholdedChoice(6, E, **arguments)


def test_tokens_that_are_no_whole_groups_are_refused() -> None:
    with pytest.raises(ValueError, match="group=5: does not divide 32 tokens"):
        ThresholdedChoice(6, E, group=5)(X_TD)


def test_no_tokens_are_no_trouble() -> None:
    assert len(ThresholdedChoice(6, E)(X_TD[:0]).token_A) == 0
    assert len(ThresholdedChoice(6, E, group=L)(X_TD[:0]).token_A) == 0
