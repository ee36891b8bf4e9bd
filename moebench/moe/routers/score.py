"""The linear map from a token to one score per expert, always in float32 or wider.

Source: Fedus et al. 2021 (arXiv 2101.03961), section 2.4, "selective precision".
"""

import torch
from torch import Tensor, nn

from moebench.moe.autocast import without_autocast
from moebench.moe.input_checks import check_operands


def at_least_float32(x: Tensor) -> Tensor:
    """Return `x` in float32, or unchanged if it is wider (float64 in gradient checks)."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def uncast(moved: Tensor, before: Tensor) -> Tensor:
    """Return a tensor that was moved or cast, but undo a cast below float32.

    bfloat16 cannot resolve the differences between biases: the cast would change most choices.

    Args:
        moved: the tensor afterwards.
        before: the same tensor before.
    """
    if moved.dtype.itemsize >= torch.float32.itemsize:
        return moved
    return before.to(moved.device, torch.float32)


class Score(nn.Module):
    """One learned score per expert: logits_TE = x_TD @ weight_ED.T, in float32 or wider.

    Scores are divided by `temperature`, which `Tempered` sets.

    Args:
        dim: width D of a token.
        num_experts: number E of experts.

    Raises:
        ValueError: if there is not at least one expert, or a token has no width.
    """

    temperature = 1.0

    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__()
        if num_experts < 1:
            raise ValueError(f"num_experts={num_experts}: a router needs at least 1 expert")
        if dim < 1:
            raise ValueError(f"dim={dim}: must be at least 1")
        self.weight = nn.Parameter(torch.empty(num_experts, dim))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)

    def forward(self, x_TD: Tensor) -> Tensor:
        """Return logits_TE."""
        logits_TE = self.product(x_TD)
        return logits_TE if self.temperature == 1 else logits_TE / self.temperature

    def product(self, x_TD: Tensor) -> Tensor:
        """Return logits_TE at a temperature of one.

        Raises:
            ValueError: for tokens of another width or dtype.
        """
        wide_TD, weight_ED = at_least_float32(x_TD), at_least_float32(self.weight)
        check_operands(wide_TD, weight_ED.shape[1], weight_ED, "router")
        with without_autocast(x_TD):
            return wide_TD @ weight_ED.T
