"""A dispatcher that permutes inside the grouped product: rows are read in place, never copied.

The first kernel gathers an expert's tokens as it multiplies them, the second applies the routing
weight as it stores, and a third sums each token's rows in a fixed order. Backward keeps the tokens
and the inputs of the activation, but no copy of a token for each expert it visits: memory grows
with the total active width, as in a dense block, not with the number of experts.

Source: products over groups of unequal size: Gale et al. 2022, MegaBlocks (arXiv 2211.15841);
permutation inside the product: Tan et al. 2024, ScatterMoE (arXiv 2403.08245); what backward can do
without, and the gradient of the routing weights it computes instead: Guo et al. 2025, SonicMoE
(arXiv 2512.14080).
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
CAPABILITY = 8  # major number, of the first CUDA devices with bfloat16 matrix units
INSTALLED = find_spec("triton") is not None


class Fused(nn.Module):
    """Dispatcher for SwiGLU experts on a GPU, in Triton kernels; elsewhere it equals `Grouped`.

    Worked example: a token of width D = 4 visits K = 2 experts of width F = 3. For backward,
    weights and indices aside, `Grouped` keeps 2 x 4 numbers (a copy per expert), 2 x 6 before the
    activation, 2 x 3 of the gate after it, 2 x 3 of the product of gate and up, and 2 x 4 of
    answers: 40. `Fused` keeps the token and the 2 x 6: 16.
    """

    def forward(self, x_TD: Tensor, decision: RoutingDecision, experts: nn.Module) -> Tensor:
        """Return y_TD."""
        if not fits(experts, x_TD, decision):
            y_TD: Tensor = Grouped()(x_TD, decision, experts)
            return y_TD
        if torch.compiler.is_compiling():
            # Imported here: Triton may be missing, and torch's compiler takes seconds to import.
            from moebench.moe.dispatch.fused.outside_graphs import swiglu_outside_graphs

            return swiglu_outside_graphs(x_TD, decision, experts.gate_up_EDF, experts.down_EFD)
        from moebench.moe.dispatch.fused.autograd import swiglu

        return swiglu(x_TD, decision, experts.gate_up_EDF, experts.down_EFD)


def usable(device: torch.device) -> bool:
    """Return whether the kernels run on a device, where `Fused` is then the better dispatcher."""
    if device.type == "cuda":
        return INSTALLED and torch.cuda.get_device_properties(device).major >= CAPABILITY
    return device.type == "cpu" and os.environ.get("TRITON_INTERPRET") == "1" and INSTALLED


def fits(experts: nn.Module, x_TD: Tensor, decision: RoutingDecision) -> TypeGuard[SwiGLU]:
    """Return whether the kernels can compute the answers of these experts.

    They support SwiGLU alone, without hooks, in three dtypes.
    """
    if type(experts) is not SwiGLU or experts._forward_hooks or experts._forward_pre_hooks:
        return False
    own = {x_TD.dtype, experts.gate_up_EDF.dtype, experts.down_EFD.dtype}
    cast = autocast_dtype(x_TD)
    dtypes = own if cast is None or torch.float64 in own else {cast}
    known = len(dtypes) == 1 and dtypes <= set(DTYPES)
    return known and decision.token_A.numel() > 0 and usable(x_TD.device)
