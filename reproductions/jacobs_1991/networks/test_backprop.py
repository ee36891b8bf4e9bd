"""A network of one hidden unit by hand."""

from math import log

import pytest
import torch

from reproductions.jacobs_1991.networks.backprop import BackProp
from reproductions.jacobs_1991.networks.system import prepare


def test_a_network_by_hand() -> None:
    # The hidden unit answers 1/2, the output's logit is 2 log 3 x 1/2.
    weights = {
        "hidden": torch.tensor([[[0.0, 0.0]]], dtype=torch.float64),
        "output": torch.tensor([[[2 * log(3), 0.0]]], dtype=torch.float64),
    }
    cases = prepare(torch.tensor([[2.0]]), torch.tensor([[1.0]]))
    system = BackProp(1)
    layers = system.forward(weights, cases.x_DT)
    assert layers.blend_SCT[0, 0, 0].item() == pytest.approx(0.75)
    gradient = system.gradient(weights, layers, cases)
    to_logit = -0.25 * 0.75 * 0.25
    assert gradient["output"].flatten().tolist() == pytest.approx([to_logit / 2, to_logit])
    back = to_logit * 2 * log(3) * 0.25
    assert gradient["hidden"].flatten().tolist() == pytest.approx([back * 2, back])
    assert system.usage(layers, cases.share_T) == {}, "there is no gate"


def test_a_network_without_hidden_units_is_refused() -> None:
    with pytest.raises(ValueError, match="hidden=0: a network needs at least 1 hidden unit"):
        BackProp(0)
