"""Two-layer ReLU experts, the feed-forward block of T5 and Switch.

Source: Fedus, Zoph and Shazeer 2021 (arXiv 2101.03961), section 2.1; expert dropout section 2.4.
"""

from torch import Tensor, nn

from moebench.moe.experts.grouped_matmul import at_least_one, grouped_matmul, stacked


class ReluMLP(nn.Module):
    """Experts that compute relu(x @ up) @ down, without biases.

    Args:
        dim: width D of a token.
        num_experts: number E of experts.
        hidden: width F between the two products.
        dropout: share of hidden features dropped in training ("expert dropout").

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(self, dim: int, num_experts: int, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        at_least_one(dim=dim, num_experts=num_experts, hidden=hidden)
        self.up_EDF = stacked(num_experts, dim, hidden)
        self.down_EFD = stacked(num_experts, hidden, dim)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x_RD: Tensor, count_E: Tensor) -> Tensor:
        """Return y_RD for rows grouped by expert."""
        hidden_RF = self.dropout(grouped_matmul(x_RD, self.up_EDF, count_E).relu())
        return grouped_matmul(hidden_RF, self.down_EFD, count_E)
