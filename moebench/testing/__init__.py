"""The contract tests that every part of moebench passes, for parts of your own package.

Inherit from one of these classes in a test file and say how to make your part; pytest does the
rest:

    class TestMyRouter(RouterContract):
        def make(self, dim: int, num_experts: int) -> nn.Module:
            return MyRouter(dim, num_experts)

This is the one place in moebench where inheriting from its own classes is right.
"""

from moebench.testing.datasets import DatasetContract
from moebench.testing.dispatch import DispatcherContract
from moebench.testing.experts import ExpertsContract
from moebench.testing.losses import LossContract
from moebench.testing.routers import RouterContract

__all__ = [
    "DatasetContract",
    "DispatcherContract",
    "ExpertsContract",
    "LossContract",
    "RouterContract",
]
