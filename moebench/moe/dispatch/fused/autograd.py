"""SwiGLU experts as one differentiable function of tokens, weights and matrices."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from moebench.moe.autocast import autocast_dtype
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.fused import kernels
from moebench.moe.dispatch.fused.blocks import GROUP, SLOT, slice_width, tile_height
from moebench.moe.dispatch.fused.row_plan import Plan, make_plan


def swiglu(
    x_TD: Tensor, decision: RoutingDecision, gate_up_EDF: Tensor, down_EFD: Tensor
) -> Tensor:
    """Return y_TD of SwiGLU experts with these matrices, in the dtype of the tokens.

    Under autocast all factors are cast first, as in torch.nn.Linear.
    """
    dtype, rows = autocast_dtype(x_TD) or x_TD.dtype, decision.token_A.numel()
    plan = make_plan(decision, tile_height(rows, decision.num_experts, dtype))
    weight_R = decision.weight_A.index_select(0, plan.assignment_R)
    operands = [part.to(dtype).contiguous() for part in (x_TD, gate_up_EDF, down_EFD)]
    save = torch.is_grad_enabled()  # inside an autograd function it is always off
    with torch.cuda.device_of(x_TD):  # Triton launches on the current device, not on that of x_TD
        y_TD: Tensor = SwiGLURows.apply(  # type: ignore[no-untyped-call]
            weight_R, *operands, plan, x_TD.dtype, save
        )
    return y_TD


class SwiGLURows(torch.autograd.Function):
    """The weighted sum of the experts' answers for each token, y_TD.

    For backward it keeps the tokens and, of each row, the input of the activation, h_RF, whose last
    axis is 2F; everything else is recomputed or freed within one call.
    """

    @staticmethod
    def forward(
        ctx: Any,
        weight_R: Tensor,
        x_TD: Tensor,
        gate_up_EDF: Tensor,
        down_EFD: Tensor,
        plan: Plan,
        dtype: torch.dtype,
        save: bool,
    ) -> Tensor:
        """Return y_TD in `dtype`; tokens and matrices share one dtype and are contiguous."""
        save = save and any(ctx.needs_input_grad)
        h_RF, act_RF = activate(x_TD, gate_up_EDF, plan, save)
        ctx.plan = plan
        ctx.save_for_backward(weight_R, x_TD, gate_up_EDF, down_EFD, h_RF)
        return sum_products(act_RF, down_EFD, weight_R, plan, dtype, act_RF.shape[1])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_TD: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the first four arguments."""
        weight_R, x_TD, gate_up_EDF, down_EFD, h_RF = ctx.saved_tensors
        plan, grad_TD = ctx.plan, grad_TD.to(x_TD.dtype).contiguous()
        _, by_x, by_gate_up, by_down, *_ = ctx.needs_input_grad
        dh_RF, act_RF, dweight_R = activate_grad(grad_TD, weight_R, down_EFD, h_RF, plan)
        ddown_EFD = sum_outer(act_RF, grad_TD, plan, gather_a=False) if by_down else None
        del act_RF
        dgate_up_EDF = sum_outer(x_TD, dh_RF, plan, gather_a=True) if by_gate_up else None
        dx_TD = None
        if by_x:
            hidden = down_EFD.shape[1]
            dx_TD = sum_products(dh_RF, gate_up_EDF.mT, None, plan, x_TD.dtype, hidden)
        return dweight_R, dx_TD, dgate_up_EDF, ddown_EFD, None, None, None


def activate(
    x_TD: Tensor, gate_up_EDF: Tensor, plan: Plan, save: bool
) -> tuple[Tensor | None, Tensor]:
    """Return the input of the activation, if it is to be saved, and its output."""
    rows, (width, both) = plan.token_R.numel(), gate_up_EDF.shape[1:]
    h_RF = x_TD.new_empty(rows, both) if save else None
    act_RF = x_TD.new_empty(rows, both // 2)
    kernels.gate_up[_grid(plan, both // 2)](
        x_TD, gate_up_EDF, act_RF if h_RF is None else h_RF, act_RF, plan.token_R, *_tiles(plan),
        width, both // 2, gate_up_EDF.stride(0), SAVE=save, **_options(plan),
    )  # fmt: skip
    return h_RF, act_RF


def activate_grad(
    grad_TD: Tensor, weight_R: Tensor, down_EFD: Tensor, h_RF: Tensor, plan: Plan
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradient of h_RF, the weighted activations, and the gradient of the weights."""
    rows, (hidden, width) = plan.token_R.numel(), down_EFD.shape[1:]
    dh_RF, act_RF = torch.empty_like(h_RF), h_RF.new_empty(rows, hidden)
    dweight_SR = weight_R.new_empty(triton.cdiv(hidden, SLOT), rows)
    kernels.down_grad[_grid(plan, hidden)](
        grad_TD, down_EFD, h_RF, weight_R, dh_RF, act_RF, dweight_SR, plan.token_R, *_tiles(plan),
        rows, width, hidden, down_EFD.stride(0), SLOT=SLOT, **_options(plan),
    )  # fmt: skip
    return dh_RF, act_RF, dweight_SR.sum(0).where(plan.kept_R, 0.0)


def sum_products(
    a_RK: Tensor,
    b_EKN: Tensor,
    weight_R: Tensor | None,
    plan: Plan,
    dtype: torch.dtype,
    hidden: int,
) -> Tensor:
    """Return for each token the sum over its rows of weight x row x matrix of the row's expert.

    The products of all rows are never in memory at once, only one slice of their columns.
    """
    rows, columns, tokens = len(a_RK), b_EKN.shape[2], plan.row_start_X.numel() - 1
    y_TN = a_RK.new_empty(tokens, columns, dtype=dtype)
    width = slice_width(columns, rows, tokens, hidden)
    for b_EKS, y_TS in zip(b_EKN.split(width, 2), y_TN.split(width, 1), strict=True):
        product_RS = a_RK.new_empty(rows, b_EKS.shape[2])
        kernels.product[_grid(plan, b_EKS.shape[2])](
            a_RK, b_EKS, product_RS, a_RK if weight_R is None else weight_R, *_tiles(plan),
            *b_EKS.shape[1:], *b_EKS.stride(), WEIGHTED=weight_R is not None, **_options(plan),
        )  # fmt: skip
        _combine(product_RS, y_TS, plan)
        del product_RS  # before the next slice is allocated
    return y_TN


def _combine(product_RS: Tensor, y_TS: Tensor, plan: Plan) -> None:
    """Write y_TS, the sums over the rows of each token."""
    (rows, columns), tokens = product_RS.shape, len(y_TS)
    block = min(triton.next_power_of_2(columns), 512)
    kernels.combine[tokens, triton.cdiv(columns, block)](
        product_RS, y_TS, plan.row_A, plan.row_start_X, plan.start_X[plan.num_experts :],
        columns, y_TS.stride(0),
        BLOCK_R=min(triton.next_power_of_2(triton.cdiv(rows, tokens)), 16), BLOCK_N=block,
    )  # fmt: skip


def sum_outer(a_XM: Tensor, b_XN: Tensor, plan: Plan, gather_a: bool) -> Tensor:
    """Return for each expert the sum over its rows of the outer product of a and b.

    Args:
        a_XM: one row per token if `gather_a`, else one per row of the plan.
        b_XN: the other way round.
        plan: the rows.
        gather_a: which of the two is gathered by token.
    """
    high, wide = a_XM.shape[1], b_XN.shape[1]
    out_EMN = a_XM.new_empty(plan.num_experts, high, wide)

    def grid(block: Mapping[str, int]) -> tuple[int]:
        tiles = triton.cdiv(high, block["BLOCK_M"]) * triton.cdiv(wide, block["BLOCK_N"])
        return (plan.num_experts * tiles,)

    kernels.weight_grad[grid](
        a_XM, b_XN, out_EMN, plan.token_R, plan.start_X, high, wide,
        GATHER_A=gather_a, PRECISION=_precision(), GROUP=GROUP,
    )  # fmt: skip
    return out_EMN


def _grid(plan: Plan, columns: int) -> Callable[[Mapping[str, int]], tuple[int]]:
    """Return the number of programs as a function of the block."""
    tiles = plan.expert_M.numel()
    return lambda block: (tiles * triton.cdiv(columns, block["BLOCK_N"]),)


def _tiles(plan: Plan) -> tuple[Tensor | int, ...]:
    """Return the arguments with which a program finds its rows."""
    return plan.expert_M, plan.start_X, plan.tile_X, plan.expert_M.numel(), plan.num_experts


def _options(plan: Plan) -> dict[str, Any]:
    return {"BLOCK_M": plan.height, "GROUP": GROUP, "PRECISION": _precision()}


def _precision() -> str:
    """Return how float32 is multiplied: exactly, unless torch is set to TF32."""
    return "tf32" if torch.backends.cuda.matmul.fp32_precision == "tf32" else "ieee"
