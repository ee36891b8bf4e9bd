"""Every dispatcher meets its contract."""

import pytest
from torch import nn

from moebench.moe.dispatch import DISPATCHERS, Buffers
from moebench.testing import DispatcherContract


@pytest.mark.parametrize("name", DISPATCHERS)
class TestFamily(DispatcherContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name

    def make(self) -> nn.Module:
        return DISPATCHERS[self.name]()


class TestBuffersOfFixedSize(DispatcherContract):
    def make(self) -> nn.Module:
        return Buffers(rows=12)
