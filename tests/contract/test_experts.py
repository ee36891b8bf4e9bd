"""Every kind of experts meets its contract."""

import pytest
from torch import nn

from moebench.moe.experts import EXPERTS, Linear
from moebench.testing import ExpertsContract
from moebench.testing.parts import make_experts


@pytest.mark.parametrize("name", EXPERTS)
class TestFamily(ExpertsContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return make_experts(EXPERTS[self.name], dim, num_experts)


class TestLinearWithBias(ExpertsContract):
    def make(self, dim: int, num_experts: int) -> nn.Module:
        experts = Linear(dim, num_experts, bias=True)
        nn.init.normal_(experts.bias_EF)
        return experts


class TestOddWidths(ExpertsContract):
    """Rows that torch's grouped product refuses take the loop over matrices."""

    def make(self, dim: int, num_experts: int) -> nn.Module:
        return EXPERTS["relu_mlp"](dim, num_experts, hidden=13)
