"""Sums over the devices that train one run together, each on its own rows of every batch.

Without such a group, or on one device, every sum is what it is given. All devices must call these
functions in the same order.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def device_count() -> int:
    """Return how many devices train together."""
    return dist.get_world_size() if _several() else 1


def device_number() -> int:
    """Return the number of this device among them, from 0."""
    return dist.get_rank() if _several() else 0


def _several() -> bool:
    return dist.is_available() and dist.is_initialized()


def total(amount: Tensor) -> Tensor:
    """Return the sum of an amount over all devices; all get the same bits.

    It is differentiable. As each device has a loss of its own, the gradient of an amount is the sum
    of what the losses of all devices give it, so that a mean over devices, which distributed
    training takes of gradients, is the gradient of a loss that all devices share.
    """
    if device_count() == 1:
        return amount
    summed: Tensor = _Total.apply(amount)  # type: ignore[no-untyped-call]
    return summed


def mean(amount: Tensor) -> Tensor:
    """Return the mean of an amount over all devices, without gradient."""
    devices = device_count()
    return amount if devices == 1 else total(amount.detach()) / devices


def totals(amounts: Sequence[Tensor]) -> list[Tensor]:
    """Return the sums of several vectors of one type over all devices, by one exchange."""
    if device_count() == 1 or not amounts:
        return list(amounts)
    return list(total(torch.cat(list(amounts))).split([len(amount) for amount in amounts]))


def same_everywhere(value: Tensor) -> bool:
    """Say whether all devices have the same value."""
    plain = value.double()  # truth values have no negative
    extremes = torch.stack([plain, -plain])
    dist.all_reduce(extremes, dist.ReduceOp.MAX)
    return bool((extremes[0] == -extremes[1]).all())


def gathered(value: Any) -> list[Any]:
    """Return the values of all devices, of any kind that can be pickled; slow."""
    found: list[Any] = [None] * device_count()
    if len(found) == 1:
        return [value]
    dist.all_gather_object(found, value)
    return found


class _Total(torch.autograd.Function):
    """The sum over devices, whose gradient is summed alike."""

    @staticmethod
    def forward(_: Any, amount: Tensor) -> Tensor:
        summed = amount.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(summed)
        return summed

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> Tensor:
        return total(gradients[0])
