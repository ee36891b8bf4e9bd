"""Experts that every token visits, in addition to the routed ones or instead of them.

Source: Dai et al. 2024, DeepSeekMoE (arXiv 2401.06066), section 3.2, equation 9; the gate on the
answer is that of Qwen's released code (Qwen1.5-MoE).
"""

import torch
from torch import Tensor, nn

from moebench.moe.experts.swiglu import SwiGLU


class Shared(nn.Module):
    """A SwiGLU block for all tokens: a dense block, or shared experts side by side.

    As answers are summed, n shared experts of width F equal one of width n F.

    Args:
        dim: width D of a token.
        hidden: width F between the products.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.expert = SwiGLU(dim, 1, hidden)

    @property
    def hidden(self) -> int:
        """Width F of the block, or of all shared experts together."""
        return self.expert.hidden

    def forward(self, x_TD: Tensor) -> Tensor:
        """Return y_TD; x may have any axes before D."""
        y_TD: Tensor = self.expert(x_TD, torch.empty(1, dtype=torch.int64))  # one expert: all rows
        return y_TD


class GatedShared(nn.Module):
    """Shared experts whose answer is weighted, for each token, by the sigmoid of one score.

    Args:
        dim: width D of a token.
        hidden: width F between the products.
    """

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.shared = Shared(dim, hidden)
        self.gate = nn.Linear(dim, 1, bias=False)

    @property
    def hidden(self) -> int:
        """Width F of all shared experts together."""
        return self.shared.hidden

    def forward(self, x_TD: Tensor) -> Tensor:
        """Return y_TD."""
        y_TD: Tensor = self.gate(x_TD).sigmoid() * self.shared(x_TD)
        return y_TD
