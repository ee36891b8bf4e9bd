"""The device-level balance loss, checkable with a pencil."""

import pytest
import torch

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.losses import DeviceBalance, LoadBalance, OverDevices

EVEN = [[0.25, 0.25, 0.25, 0.25]] * 4


def decide(probs: list[list[float]], *experts: int) -> RoutingDecision:
    probs_TE = torch.tensor(probs, dtype=torch.float64)
    return tokens_choose(probs_TE.log(), probs_TE, torch.tensor(experts)[:, None], probs_TE[:, :1])


def test_by_hand() -> None:
    """Requests 3, 0 | 1, 0: shares 3/4 and 1/4 of two devices; f' = 2 * share of the mean f.

    f = 4 * (3/4, 0, 1/4, 0) = 3, 0, 1, 0, so f' = 3/2 and 1/2. P = 0.4, 0.2, 0.3, 0.1, so P' = 0.6
    and 0.4. The loss is 3/2 * 0.6 + 1/2 * 0.4 = 1.1; that of the experts 3 * 0.4 + 1 * 0.3 = 1.5.
    """
    decision = decide([[0.4, 0.2, 0.3, 0.1]] * 4, 0, 0, 0, 2)
    assert DeviceBalance(2)(decision).item() == pytest.approx(1.1)
    assert LoadBalance()(decision).item() == pytest.approx(1.5)


def test_imbalance_inside_a_device_leaves_it_at_one() -> None:
    uneven = decide([[0.5, 0.0, 0.0, 0.5]] * 4, 0, 0, 3, 3)
    assert DeviceBalance(2)(uneven).item() == pytest.approx(1.0)
    assert LoadBalance()(uneven).item() == pytest.approx(2.0)
    assert DeviceBalance(2)(decide(EVEN, 0, 1, 2, 3)).item() == pytest.approx(1.0)


def test_with_a_device_for_each_expert_it_is_the_loss_of_the_experts() -> None:
    decision = decide([[0.4, 0.2, 0.3, 0.1]] * 4, 0, 0, 1, 2)
    torch.testing.assert_close(DeviceBalance(4)(decision), LoadBalance()(decision))
    torch.testing.assert_close(DeviceBalance(1)(decision), torch.tensor(1.0, dtype=torch.float64))


def test_it_sums_over_devices_before_the_product() -> None:
    """Twice the same batch has the same loss, summed as `OverDevices` sums."""
    decision = decide([[0.4, 0.2, 0.3, 0.1]] * 4, 0, 0, 0, 2)
    loss = DeviceBalance(2)
    torch.testing.assert_close(loss(decision, lambda amount: 2 * amount), loss(decision))
    torch.testing.assert_close(OverDevices(loss)(decision), loss(decision))


def test_groups_that_do_not_divide_the_experts_are_refused() -> None:
    with pytest.raises(ValueError, match="groups=3: must divide num_experts=4"):
        DeviceBalance(3)(decide(EVEN, 0, 1, 2, 3))
    with pytest.raises(ValueError, match="groups=0: must be at least 1"):
        DeviceBalance(0)
