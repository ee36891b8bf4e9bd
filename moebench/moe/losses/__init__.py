"""Losses on the routing decision: differentiable and unweighted; the weight is configuration."""

from moebench.moe.losses.load_balance import LoadBalance
from moebench.moe.losses.z_loss import ZLoss

LOSSES = {"load_balance": LoadBalance, "z_loss": ZLoss}

__all__ = ["LOSSES", "LoadBalance", "ZLoss"]
