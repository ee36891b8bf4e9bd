"""The matrix product behind all experts: rows grouped by expert, one matrix per expert."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from moebench.moe.autocast import autocast_dtype
from moebench.moe.input_checks import check_counts, check_operands

ROW_BYTES = 16  # grouped_mm requires every row to start at a multiple of this


def at_least_one(**sizes: int) -> None:
    """Raise ValueError unless every size is at least 1."""
    for key, size in sizes.items():
        if size < 1:
            raise ValueError(f"{key}={size}: experts need at least 1")


def stacked(num_experts: int, fan_in: int, fan_out: int) -> nn.Parameter:
    """Return weight_EDF, each expert's matrix initialised as in torch.nn.Linear."""
    weight_EDF = torch.empty(num_experts, fan_in, fan_out)
    return nn.Parameter(weight_EDF.uniform_(-(fan_in**-0.5), fan_in**-0.5))


def grouped_matmul(x_RD: Tensor, weight_EDF: Tensor, count_E: Tensor) -> Tensor:
    """Return y_RF, each row multiplied by the matrix of its expert.

    Under autocast both factors are cast first, but float64 never is, as in torch.nn.Linear. Three
    kernels compute the same: a batched product where all counts are equal (an expanded `count_E`),
    torch's grouped product where it supports dtype and shape, and one product per expert otherwise.

    Args:
        x_RD: rows, all of expert 0 first, then expert 1, ...
        weight_EDF: one matrix per expert.
        count_E: rows of each expert; they add up to R.

    Raises:
        ValueError: for rows of another width or dtype than the experts', and for counts of another
            number of experts.
    """
    dtype = autocast_dtype(x_RD)
    if dtype is not None and x_RD.dtype != torch.float64:
        x_RD, weight_EDF = x_RD.to(dtype), weight_EDF.to(dtype)
    num_experts, width = weight_EDF.shape[:2]
    check_counts(len(count_E), num_experts)
    check_operands(x_RD, width, weight_EDF, "experts")
    if num_experts == 1:
        return x_RD @ weight_EDF[0]
    if count_E.stride(0) == 0:
        return torch.bmm(x_RD.reshape(num_experts, -1, width), weight_EDF).flatten(0, 1)
    if _has_kernel(x_RD, weight_EDF):
        if torch.compiler.is_compiling():
            # Imported here because torch's compiler takes seconds to import.
            from moebench.moe.experts.outside_graphs import kernel_outside_graphs

            return kernel_outside_graphs(x_RD, weight_EDF, count_E)
        return kernel(x_RD, weight_EDF, count_E)
    # unbind, not weight_EDF[e]: the gradient of an index is as large as all experts together.
    pairs = zip(x_RD.split(count_E.tolist()), weight_EDF.unbind(), strict=True)
    return torch.cat([x_ND @ weight_DF for x_ND, weight_DF in pairs])


def kernel(x_RD: Tensor, weight_EDF: Tensor, count_E: Tensor) -> Tensor:
    """Return torch's grouped product."""
    offset_E = count_E.cumsum(0, dtype=torch.int32)
    y_RF = functional.grouped_mm(x_RD.contiguous(), weight_EDF, offs=offset_E)
    if y_RF.requires_grad:
        # The kernel's backward rejects an expanded tensor, which y.sum().backward() produces.
        y_RF.register_hook(lambda grad_RF: grad_RF.contiguous())
    return y_RF


def _has_kernel(x_RD: Tensor, weight_EDF: Tensor) -> bool:
    """Return whether torch's grouped product takes these operands."""
    if not hasattr(functional, "grouped_mm") or x_RD.dtype == torch.float64:
        return False
    strides = (size * x_RD.element_size() for size in weight_EDF.shape[1:])
    return x_RD.shape[0] > 0 and all(stride % ROW_BYTES == 0 for stride in strides)
