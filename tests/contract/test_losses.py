"""Every loss keeps the contract of losses."""

import pytest
from torch import nn

from moebench.moe.losses import LOSSES
from moebench.testing import LossContract


def test_the_family_is_complete() -> None:
    assert {"load_balance", "z_loss"} <= set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
class TestFamily(LossContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name

    def make(self) -> nn.Module:
        return LOSSES[self.name]()
