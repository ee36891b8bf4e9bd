"""Linear experts.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 2 (linear experts); Fedus et al. 2021
(arXiv 2101.03961), appendix A (experts in place of the projections of attention).
"""

import torch
from torch import Tensor, nn

from moebench.moe.experts.grouped_matmul import at_least_one, grouped_matmul, stacked


class Linear(nn.Module):
    """Experts that consist of one matrix each.

    Args:
        dim: width D of a token.
        num_experts: number E of experts.
        out: width of the answer; None: that of the token.
        bias: whether each expert adds a bias vector.

    Raises:
        ValueError: if a size is below 1.
    """

    def __init__(
        self, dim: int, num_experts: int, out: int | None = None, bias: bool = False
    ) -> None:
        super().__init__()
        width = dim if out is None else out
        at_least_one(dim=dim, num_experts=num_experts, out=width)
        self.weight_EDF = stacked(num_experts, dim, width)
        self.bias_EF = nn.Parameter(torch.zeros(num_experts, width)) if bias else None

    def forward(self, x_RD: Tensor, count_E: Tensor) -> Tensor:
        """Return y_RF for rows grouped by expert."""
        y_RF = grouped_matmul(x_RD, self.weight_EDF, count_E)
        if self.bias_EF is None:
            return y_RF
        return y_RF + self.bias_EF.repeat_interleave(count_E, dim=0, output_size=y_RF.shape[0])
