"""SwiGLU experts, the feed-forward block of Mixtral and most decoders after it.

Source: Shazeer 2020 (arXiv 2002.05202), equation 6; Jiang et al. 2024 (arXiv 2401.04088),
section 2.1.
"""

from torch import Tensor, nn
from torch.nn.functional import silu

from moebench.moe.experts.grouped_matmul import at_least_one, grouped_matmul, stacked


class SwiGLU(nn.Module):
    """Experts that compute (silu(x @ gate) * (x @ up)) @ down, without biases.

    Args:
        dim: width D of a token.
        num_experts: number E of experts.
        hidden: width F between the products.

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(self, dim: int, num_experts: int, hidden: int) -> None:
        super().__init__()
        at_least_one(dim=dim, num_experts=num_experts, hidden=hidden)
        # Gate and up share one tensor, so that one product serves both: the last axis is 2F.
        self.gate_up_EDF = stacked(num_experts, dim, 2 * hidden)
        self.down_EFD = stacked(num_experts, hidden, dim)

    @property
    def hidden(self) -> int:
        """Width F of an expert."""
        return self.down_EFD.shape[1]

    def forward(self, x_RD: Tensor, count_E: Tensor) -> Tensor:
        """Return y_RD for rows grouped by expert."""
        gate_RF, up_RF = grouped_matmul(x_RD, self.gate_up_EDF, count_E).chunk(2, dim=-1)
        return grouped_matmul(silu(gate_RF) * up_RF, self.down_EFD, count_E)
