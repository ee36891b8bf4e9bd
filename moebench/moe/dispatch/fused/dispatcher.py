"""The permutation inside the grouped product: rows are read where they lie, never copied.

The first kernel gathers the tokens of an expert as it multiplies them, the second multiplies by
the routing weight as it stores, and a sum for each token, in a fixed order, ends it. Backward keeps
the tokens and what comes before the activation, and no copy of a token for each expert it visits:
memory grows with the width that is active in all, as in a dense block, not with their number.

Source: for products over groups of unequal size, Gale et al. 2022, MegaBlocks (arXiv 2211.15841);
for a permutation that takes place inside the product, Tan et al. 2024, ScatterMoE (arXiv
2403.08245); for what backward need not keep, and the gradient of the routing weights from what is
at hand there, Guo et al. 2025, SonicMoE (arXiv 2512.14080).
"""

import os
from importlib.util import find_spec
from typing import TypeGuard

import torch
from torch import Tensor, nn

from moebench.moe.autocast import autocast_dtype
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.experts.swiglu import SwiGLU

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
CAPABILITY = 8  # that of the first CUDA devices whose matrix units know bfloat16
INSTALLED = find_spec("triton") is not None


class Fused(nn.Module):
    """Dispatcher for SwiGLU experts on a GPU, by Triton kernels; elsewhere it does as `Grouped`.

    Worked example: a token of width D = 4 visits K = 2 experts of width F = 3. For backward,
    weights and indices aside, `Grouped` keeps 2 x 4 numbers (a copy for each), 2 x 6 before the
    activation, 2 x 3 of the gate after it, 2 x 3 of the product of gate and up, and 2 x 4 of
    answers: 40. This one keeps the token and the 2 x 6: 16.
    """

    def forward(self, x_TD: Tensor, decision: RoutingDecision, experts: nn.Module) -> Tensor:
        """Return y_TD."""
        if not fits(experts, x_TD, decision):
            y_TD: Tensor = Grouped()(x_TD, decision, experts)
            return y_TD
        if torch.compiler.is_compiling():
            # Both here: Triton need not be there, and torch's compiler takes seconds to import.
            from moebench.moe.dispatch.fused.outside_graphs import swiglu_outside_graphs

            return swiglu_outside_graphs(x_TD, decision, experts.gate_up_EDF, experts.down_EFD)
        from moebench.moe.dispatch.fused.autograd import swiglu

        return swiglu(x_TD, decision, experts.gate_up_EDF, experts.down_EFD)


def usable(device: torch.device) -> bool:
    """Tell whether the kernels run on a device, so that `Fused` is the better dispatcher there."""
    if device.type == "cuda":
        return INSTALLED and torch.cuda.get_device_properties(device).major >= CAPABILITY
    return device.type == "cpu" and os.environ.get("TRITON_INTERPRET") == "1" and INSTALLED


def fits(experts: nn.Module, x_TD: Tensor, decision: RoutingDecision) -> TypeGuard[SwiGLU]:
    """Tell whether the kernels compute the answers of these experts; nothing else decides it.

    They know SwiGLU alone, and not what hooks would make of it, in three types of numbers.
    """
    if type(experts) is not SwiGLU or experts._forward_hooks or experts._forward_pre_hooks:
        return False
    own = {x_TD.dtype, experts.gate_up_EDF.dtype, experts.down_EFD.dtype}
    cast = autocast_dtype(x_TD)
    dtypes = own if cast is None or torch.float64 in own else {cast}
    known = len(dtypes) == 1 and dtypes <= set(DTYPES)
    return known and decision.token_A.numel() > 0 and usable(x_TD.device)
