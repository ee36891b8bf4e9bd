"""A loss on what all devices of a run decide, where each device would take its own share for all.

Source: Qiu et al. 2025, Demons in the detail (arXiv 2501.11873), section 3, for the balance loss.
"""

from torch import Tensor, nn

from moebench.moe.contract import CONTRACT
from moebench.moe.decision import RoutingDecision
from moebench.moe.devices import device_count, total


class OverDevices(nn.Module):
    """A balance loss of the whole batch, of which each device has some rows.

    What the loss counts (requests, probabilities, weights, expected loads) is summed over the
    devices before it is multiplied or squared. Value and gradient are thus those of one device with
    the whole batch, up to rounding; on one device it is the loss itself.

    Args:
        loss: `LoadBalance`, `Importance`, `Load`, or any other with `sums_over_devices`.

    Raises:
        ValueError: if the loss cannot be summed so.
    """

    def __init__(self, loss: nn.Module) -> None:
        super().__init__()
        if not getattr(loss, "sums_over_devices", False):
            raise ValueError(
                f"losses.OverDevices: {type(loss).__name__} does not sum over devices; a mean over "
                f"tokens needs no such sum, any other loss see {CONTRACT}"
            )
        self.loss = loss

    def forward(self, decision: RoutingDecision) -> Tensor:
        """Return the loss of one layer, a scalar, the same on all devices."""
        several = device_count() > 1
        found: Tensor = self.loss(decision, total) if several else self.loss(decision)
        return found
