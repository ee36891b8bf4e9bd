"""A mixture by hand: output, update, initial gate, experts in use."""

from math import exp, log

import pytest
import torch

from reproductions.jacobs_1991.networks.errors import Competitive, Cooperative, Likelihood, Mixed
from reproductions.jacobs_1991.networks.mixture import Mixture, gate_entropy
from reproductions.jacobs_1991.networks.system import descend, mean_squared_error, prepare


def test_a_mixture_by_hand() -> None:
    # One input of 2; logits log 3 x 2 - log 3 = log 3 and -log 3: answers 3/4 and 1/4. The gate's
    # scores are log 9 and 0: shares 9/10 and 1/10.
    weights = {
        "expert": torch.tensor([[[[log(3), -log(3)]], [[0.0, -log(3)]]]], dtype=torch.float64),
        "gate": torch.tensor([[[log(3), 0.0], [0.0, 0.0]]], dtype=torch.float64),
    }
    cases = prepare(torch.tensor([[2.0]]), torch.tensor([[1.0]]))
    system = Mixture(2, Competitive())
    mixed = system.forward(weights, cases.x_DT)
    assert mixed.output_SECT[0, :, 0, 0].tolist() == pytest.approx([0.75, 0.25])
    assert mixed.gate_SET[0, :, 0].tolist() == pytest.approx([0.9, 0.1])
    assert mixed.blend_SCT[0, 0, 0].item() == pytest.approx(0.7)
    assert mean_squared_error(mixed.blend_SCT, cases).item() == pytest.approx(0.09)
    # By the first answer -2 x 0.9 x 1/4, times 3/4 x 1/4 by its logit, times the input.
    gradient = system.gradient(weights, mixed, cases)
    to_logit = -2 * 0.9 * 0.25 * 0.75 * 0.25
    assert gradient["expert"][0, 0, 0].tolist() == pytest.approx([to_logit * 2, to_logit])
    # By the scores: 0.9 x (1/16 - (0.9 x 1/16 + 0.1 x 9/16)) = -0.045 and its opposite.
    assert gradient["gate"][0].flatten().tolist() == pytest.approx([-0.09, -0.045, 0.09, 0.045])
    descend(weights, gradient, torch.tensor([10.0]))
    assert weights["gate"][0, 0].tolist() == pytest.approx([log(3) + 0.9, 0.45])
    assert weights["expert"][0, 0, 0, 1].item() == pytest.approx(-log(3) - 10 * to_logit)


def test_the_gate_starts_at_equal_shares() -> None:
    system, x_DT = Mixture(4, Likelihood()), torch.rand(3, 16, dtype=torch.float64)
    mixed = system.forward(system.init([0], 0.5, features=2, outputs=1), x_DT)
    assert mixed.gate_SET.eq(1 / 4).all()


def test_usage_of_experts_by_hand() -> None:
    # Three cases: shares 0.94 0.06 0, then 1 0 0, then 1 0 0. Two experts are in use.
    gate_SET = torch.tensor([[[0.94, 1.0, 1.0], [0.06, 0.0, 0.0], [0.0, 0.0, 0.0]]]).double()
    mixed = Mixed(gate_SET[:, :, None], gate_SET, gate_SET, gate_SET[:, :1])
    share_T = torch.full((3,), 1 / 3, dtype=torch.float64)
    usage = Mixture(3, Likelihood()).usage(mixed, share_T)
    entropy = -0.94 * log(0.94) - 0.06 * log(0.06)
    assert usage["active"].tolist() == [2.0]
    assert usage["effective"].tolist() == pytest.approx([(exp(entropy) + 2) / 3])
    assert gate_entropy(torch.full((1, 4, 1), 0.25)).item() == pytest.approx(log(4))
    # What stands in the padding is nobody's case.
    hidden = Mixture(3, Likelihood()).usage(mixed, torch.tensor([0.0, 0.5, 0.5]))
    assert hidden["active"].tolist() == [1.0]


def test_a_mixture_without_experts_is_refused() -> None:
    with pytest.raises(ValueError, match="experts=0: a mixture needs at least 1"):
        Mixture(0, Cooperative())
