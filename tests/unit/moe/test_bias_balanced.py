"""The loss-free bias, by hand, and where its updates arrive."""

import pytest
import torch
from torch import nn

from moebench.moe import Capacity, Limited
from moebench.moe.contract import has_state, update
from moebench.moe.routers import (
    BiasBalanced,
    BiasedTopK,
    ScaledTopK,
    SigmoidTopK,
    Tempered,
    TopK,
)

from .fakes import asking

D, E = 8, 4


@pytest.mark.parametrize("kind", [SigmoidTopK, BiasedTopK])
def test_the_loss_free_bias_by_hand(kind: type[nn.Module]) -> None:
    """Of 8 assignments in two batches, 2 are an even share; experts have 5, 2, 1 and 0 of them."""
    router = BiasBalanced(D, lambda dim: kind(dim, 4, 1), rate=0.25)
    update(router, [asking(0, 0, 0, 1), asking(0, 0, 1, 2)])
    assert router.router.bias_E.tolist() == [-0.25, 0.0, 0.25, 0.25]
    update(router, [asking(3)])
    assert router.router.bias_E.tolist() == [0.0, 0.25, 0.5, 0.0]


def test_a_bias_counts_requests_before_capacity() -> None:
    def tight(dim: int) -> Limited:
        return Limited(dim, lambda d: BiasedTopK(d, E, 1), Capacity(factor=0.5, minimum=1))

    router = BiasBalanced(D, tight, rate=1.0)
    decision = router(torch.ones(8, D))
    [favourite] = decision.requested_A.unique().tolist()
    assert decision.kept_A.sum() == 1
    update(router, [decision])
    expected = [-1.0 if expert == favourite else 1.0 for expert in range(E)]
    assert router.router.router.bias_E.tolist() == expected


def test_it_needs_a_bias() -> None:
    with pytest.raises(ValueError, match="router=Tempered: has no bias_E to update; BiasedTopK"):
        BiasBalanced(D, lambda dim: Tempered(dim, lambda d: TopK(d, E)))
    with pytest.raises(ValueError, match="rate=-1: must be at least 0"):
        BiasBalanced(D, lambda dim: BiasedTopK(dim, E), rate=-1)


def test_wrappers_pass_the_update_on() -> None:
    wrapped = Limited(D, lambda dim: BiasBalanced(dim, lambda d: BiasedTopK(d, E)), Capacity())
    assert has_state(wrapped)
    assert not has_state(Limited(D, lambda dim: BiasedTopK(dim, E), Capacity()))
    update(wrapped, [asking(0, 0, 1)])
    assert wrapped.router.router.bias_E.any()


@pytest.mark.parametrize("rule", ["sign", "error"])
def test_thirty_steps_equal_a_reference_in_ten_lines(rule: str) -> None:
    """Algorithm 1 with loops and lists, on scores that no step changes: the same bits."""
    torch.manual_seed(0)
    router = BiasBalanced(
        D, lambda dim: SigmoidTopK(dim, E, 2), rate=0.03, rule=rule, rates={20: 0.0}
    )
    batches = [torch.randn(64, D) + 1 for _ in range(30)]
    bias = torch.zeros(E)
    for step, x_TD in enumerate(batches):
        score_TE = (x_TD @ router.router.score.weight.T).sigmoid()
        count = [0.0] * E
        for score_E in score_TE + bias:
            for expert in sorted(range(E), key=lambda e, s=score_E: -s[e])[:2]:
                count[expert] += 1
        error = torch.tensor([sum(count) / E - c for c in count], dtype=torch.float64)
        change = error.sign() if rule == "sign" else error / (sum(count) / E)
        bias += change.mul(0.03 if step < 20 else 0.0)
        update(router, [router(x_TD)])
        assert torch.equal(router.router.bias_E, bias)
    assert bias.any()
    assert router.updates == 30


def test_by_error_the_bias_moves_in_proportion() -> None:
    """Of 8 requests 2 are even; 5, 2, 1, 0 are off by -3/2, 0, 1/2 and 1 of that, times 0.25."""
    router = BiasBalanced(D, lambda dim: SigmoidTopK(dim, E), rate=0.25, rule="error")
    update(router, [asking(0, 0, 0, 1), asking(0, 0, 1, 2)])
    assert router.router.bias_E.tolist() == [-0.375, 0.0, 0.125, 0.25]
    update(router, [router(torch.zeros(0, D))])
    assert router.router.bias_E.tolist() == [-0.375, 0.0, 0.125, 0.25]


def test_a_rate_that_falls_to_zero_leaves_the_bias_as_it_is() -> None:
    router = BiasBalanced(D, lambda dim: SigmoidTopK(dim, E), rate=0.5, rates={2: 0.0, 1: 0.25})
    seen = []
    for _ in range(4):
        update(router, [asking(0, 0, 1, 2)])
        seen.append(router.router.bias_E[0].item())
    assert seen == [-0.5, -0.75, -0.75, -0.75]
    assert "updates" in router.state_dict()
    assert "updates" not in BiasBalanced(D, lambda dim: SigmoidTopK(dim, E)).state_dict()


def test_a_multiplicative_bias_is_updated_alike() -> None:
    router = BiasBalanced(D, lambda dim: ScaledTopK(dim, E, 1), rate=0.25)
    update(router, [asking(0, 0, 0, 1)])
    assert router.router.bias_E.tolist() == [0.75, 1.0, 1.25, 1.25]


def test_what_it_refuses_of_rules_and_rates() -> None:
    with pytest.raises(ValueError, match="rule=cube: unknown; one of sign, error"):
        BiasBalanced(D, lambda dim: BiasedTopK(dim, E), rule="cube")
    with pytest.raises(ValueError, match=r"rates\.-5: must be at least 0, the number of updates"):
        BiasBalanced(D, lambda dim: BiasedTopK(dim, E), rates={-5: 0.1})
    with pytest.raises(ValueError, match=r"rates\.3=-1: must be at least 0 and finite"):
        BiasBalanced(D, lambda dim: BiasedTopK(dim, E), rates={3: -1})
