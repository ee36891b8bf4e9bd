"""What a device gets of a batch, and what it makes of the loss."""

from types import SimpleNamespace

import pytest
import torch

from moebench.data.contract import UNSCORED, TextBatch
from moebench.models.output import Output
from moebench.training.module import task_loss
from moebench.training.share import check_same_batch, share
from moebench.training.step_metrics import StepMeans

from ..moe.two_devices import on_two_devices


def batch(rows: int = 4) -> TextBatch:
    """Of which the first half of the sequences has three scored targets, the second all six."""
    ids_BL = torch.arange(rows * 3).view(rows, 3)
    target_BL = ids_BL.clone()
    target_BL[: rows // 2, 1:] = UNSCORED
    return TextBatch(ids_BL, target_BL, None, torch.arange(rows))


def test_devices_get_equal_parts_in_the_order_of_the_batch() -> None:
    parts = [share(batch(6), device, 3) for device in range(3)]
    assert all(isinstance(part, TextBatch) for part in parts)
    assert [part.domain_B.tolist() for part in parts] == [[0, 1], [2, 3], [4, 5]]
    assert torch.cat([part.input_BL for part in parts]).equal(batch(6).input_BL)


def test_what_cannot_be_shared_out_is_refused() -> None:
    with pytest.raises(ValueError, match=r"trainer\.devices=2: a batch of 5 sequences does not"):
        share(batch(5), 0, 2)
    with pytest.raises(ValueError, match=r"different numbers of rows \(0, 4\)"):
        share((torch.zeros(4, 3), torch.zeros(())), 0, 2)


def test_the_mean_over_devices_is_the_loss_of_the_batch() -> None:
    """Value and gradient, though one device has fewer scored targets than the other."""
    whole = batch()
    score_BLV = torch.randn(4, 3, 12, requires_grad=True)
    loss = task_loss(Output(score_BLV, []), whole)
    loss.backward()

    def of(device: int) -> tuple[float, torch.Tensor]:
        own = score_BLV.detach().chunk(2)[device].requires_grad_()
        part = task_loss(Output(own, []), share(whole, device, 2))
        part.backward()
        return part.item(), own.grad

    found = on_two_devices(of)
    assert sum(value for value, _ in found) / 2 == pytest.approx(loss.item())
    torch.testing.assert_close(torch.cat([each for _, each in found]) / 2, score_BLV.grad)


def test_batches_that_differ_between_devices_are_refused() -> None:
    on_two_devices(lambda _: check_same_batch(batch()))
    with pytest.raises(ValueError, match="data: gives devices different batches"):
        on_two_devices(
            lambda device: check_same_batch(SimpleNamespace(input_BL=torch.ones(device)))
        )


def test_a_metric_is_the_mean_over_batches_and_devices_that_have_it() -> None:
    def measured(device: int) -> dict[str, float]:
        means = StepMeans()
        means.add({"a": 1.0 + device})
        means.add({"a": 3.0, "b": 5.0} if device else {"a": 2.0})
        return means.take()

    assert on_two_devices(measured) == [{"a": 2.0, "b": 5.0}] * 2
