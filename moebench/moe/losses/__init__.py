"""Losses on the routing decision: differentiable and unweighted; the weight is configuration.

Example:
    y, decision = layer(torch.randn(10, 64))
    (y.square().mean() + 0.01 * losses.LoadBalance()(decision)).backward()
"""

from moebench.moe.losses.device_balance import DeviceBalance
from moebench.moe.losses.first_choice_balance import FirstChoiceBalance
from moebench.moe.losses.importance import Importance
from moebench.moe.losses.load import Load
from moebench.moe.losses.load_balance import LoadBalance
from moebench.moe.losses.over_devices import OverDevices
from moebench.moe.losses.sequence_balance import SequenceBalance
from moebench.moe.losses.step_load_balance import StepLoadBalance
from moebench.moe.losses.threshold import ThresholdGap
from moebench.moe.losses.weighted import BatchLoss, Weighted, WeightedLosses
from moebench.moe.losses.z_loss import ZLoss

LOSSES = {
    "device_balance": DeviceBalance,
    "first_choice_balance": FirstChoiceBalance,
    "importance": Importance,
    "load": Load,
    "load_balance": LoadBalance,
    "over_devices": OverDevices,
    "sequence_balance": SequenceBalance,
    "step_load_balance": StepLoadBalance,
    "threshold": ThresholdGap,
    "z_loss": ZLoss,
}

__all__ = [
    "LOSSES",
    "BatchLoss",
    "DeviceBalance",
    "FirstChoiceBalance",
    "Importance",
    "Load",
    "LoadBalance",
    "OverDevices",
    "SequenceBalance",
    "StepLoadBalance",
    "ThresholdGap",
    "Weighted",
    "WeightedLosses",
    "ZLoss",
]
