"""The kernels of SwiGLU experts, forward and backward, in Triton.

A program computes one tile of a result. Programs that run side by side share an expert and the
columns of its matrix, which thus stay in the cache; programs of the plan's unused tiles return at
once. Nothing is summed across programs, so results are deterministic.
"""

import triton
import triton.language as tl

from moebench.moe.dispatch.fused.blocks import DOWN_GRAD, GATE_UP, PRODUCT, WEIGHT_GRAD, tuned

# These differ from batch to batch: specialising on what divides them would recompile the kernels.
kernel = triton.jit(do_not_specialize=["tiles", "num_experts", "rows"])


@triton.jit
def _place(expert_ptr, start_ptr, tile_ptr, tiles, columns, BLOCK_M, BLOCK_N, GROUP):
    """Return expert, rows, which of these are the expert's, and the first column."""
    program = tl.program_id(0)
    tile, column = tl.swizzle2d(program // columns, program % columns, tiles, columns, GROUP)
    expert = tl.load(expert_ptr + tile)
    first = tl.load(start_ptr + expert) + (tile - tl.load(tile_ptr + expert)) * BLOCK_M
    row = first + tl.arange(0, BLOCK_M)
    inside = row < tl.load(start_ptr + expert + 1)
    # Rows of other experts are computed as row 0 and never stored: cheaper than masking every load.
    row = tl.where(inside, row, 0).to(tl.int64)
    return expert.to(tl.int64), row, inside, column * BLOCK_N


@tuned(GATE_UP, "D", "F", "BLOCK_M")
@kernel
def gate_up(
    a_ptr, b_ptr, h_ptr, act_ptr, token_ptr, expert_ptr, start_ptr, tile_ptr,
    tiles, num_experts, D, F, stride_e, SAVE: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    """Write h = a[token] @ [gate, up] of the expert, if SAVE, and silu(gate) * up."""
    columns = tl.cdiv(F, BLOCK_N)
    expert, row, inside, left = _place(
        expert_ptr, start_ptr, tile_ptr, tiles, columns, BLOCK_M, BLOCK_N, GROUP
    )
    if expert == num_experts:
        return
    n, k = left + tl.arange(0, BLOCK_N), tl.arange(0, BLOCK_K)
    token = tl.load(token_ptr + row).to(tl.int64)
    a_at = a_ptr + token[:, None] * D + k[None, :]
    b_at = b_ptr + expert * stride_e + k[:, None] * (2 * F) + n[None, :]
    gate = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    up = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for done in range(0, D, BLOCK_K):
        deep = k < D - done
        a = tl.load(a_at, mask=deep[None, :], other=0.0)
        whole = deep[:, None] & (n < F)[None, :]
        b = tl.load(b_at, mask=whole, other=0.0)
        gate = tl.dot(a, b, gate, input_precision=PRECISION)
        b = tl.load(b_at + F, mask=whole, other=0.0)
        up = tl.dot(a, b, up, input_precision=PRECISION)
        a_at += BLOCK_K
        b_at += BLOCK_K * 2 * F
    stored = inside[:, None] & (n < F)[None, :]
    if SAVE:
        h_at = h_ptr + row[:, None] * (2 * F) + n[None, :]
        tl.store(h_at, gate.to(h_ptr.dtype.element_ty), mask=stored)
        tl.store(h_at + F, up.to(h_ptr.dtype.element_ty), mask=stored)
    act = gate * tl.sigmoid(gate) * up
    act_at = act_ptr + row[:, None] * F + n[None, :]
    tl.store(act_at, act.to(act_ptr.dtype.element_ty), mask=stored)


@tuned(PRODUCT, "K", "N", "BLOCK_M", "stride_n")
@kernel
def product(
    a_ptr, b_ptr, y_ptr, weight_ptr, expert_ptr, start_ptr, tile_ptr,
    tiles, num_experts, K, N, stride_e, stride_k, stride_n,
    WEIGHTED: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    """Write y = a @ b of the expert, each row times its weight, if WEIGHTED."""
    columns = tl.cdiv(N, BLOCK_N)
    expert, row, inside, left = _place(
        expert_ptr, start_ptr, tile_ptr, tiles, columns, BLOCK_M, BLOCK_N, GROUP
    )
    if expert == num_experts:
        return
    n, k = left + tl.arange(0, BLOCK_N), tl.arange(0, BLOCK_K)
    a_at = a_ptr + row[:, None] * K + k[None, :]
    b_at = b_ptr + expert * stride_e + k[:, None] * stride_k + n[None, :] * stride_n
    y = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for done in range(0, K, BLOCK_K):
        deep = k < K - done
        a = tl.load(a_at, mask=deep[None, :], other=0.0)
        b = tl.load(b_at, mask=deep[:, None] & (n < N)[None, :], other=0.0)
        y = tl.dot(a, b, y, input_precision=PRECISION)
        a_at += BLOCK_K
        b_at += BLOCK_K * stride_k
    if WEIGHTED:
        y *= tl.load(weight_ptr + row)[:, None]
    y_at = y_ptr + row[:, None] * N + n[None, :]
    tl.store(y_at, y.to(y_ptr.dtype.element_ty), mask=inside[:, None] & (n < N)[None, :])


@tuned(DOWN_GRAD, "D", "F", "BLOCK_M")
@kernel
def down_grad(
    a_ptr, b_ptr, h_ptr, weight_ptr, dh_ptr, act_ptr, dweight_ptr,
    token_ptr, expert_ptr, start_ptr, tile_ptr, tiles, num_experts, rows, D, F, stride_e,
    SLOT: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    """From the gradient a of the tokens write dh, weight * silu(gate) * up, and parts of dweight.

    Each part is the sum over the SLOT columns of one slot, whatever the block size.
    """
    columns = tl.cdiv(F, BLOCK_N)
    expert, row, inside, left = _place(
        expert_ptr, start_ptr, tile_ptr, tiles, columns, BLOCK_M, BLOCK_N, GROUP
    )
    if expert == num_experts:
        return
    n, k = left + tl.arange(0, BLOCK_N), tl.arange(0, BLOCK_K)
    token = tl.load(token_ptr + row).to(tl.int64)
    a_at = a_ptr + token[:, None] * D + k[None, :]
    b_at = b_ptr + expert * stride_e + k[:, None] + n[None, :] * D
    dact = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for done in range(0, D, BLOCK_K):
        deep = k < D - done
        a = tl.load(a_at, mask=deep[None, :], other=0.0)
        b = tl.load(b_at, mask=deep[:, None] & (n < F)[None, :], other=0.0)
        dact = tl.dot(a, b, dact, input_precision=PRECISION)
        a_at += BLOCK_K
        b_at += BLOCK_K
    _swiglu_grad(
        dact, h_ptr, weight_ptr, dh_ptr, act_ptr, dweight_ptr, row, inside, left, rows, F,
        SLOT, BLOCK_M, BLOCK_N,
    )  # fmt: skip


@triton.jit
def _swiglu_grad(
    dact, h_ptr, weight_ptr, dh_ptr, act_ptr, dweight_ptr, row, inside, left, rows, F,
    SLOT: tl.constexpr, BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Write the results of `down_grad`, from the gradient of an answer of weight one.

    It takes one slot of columns at a time: all of them would not fit the registers.
    """
    if BLOCK_N > SLOT:
        half: tl.constexpr = BLOCK_N // 2
        halves = tl.permute(tl.reshape(dact, (BLOCK_M, 2, half)), (0, 2, 1))
        first, second = tl.split(halves)
        _swiglu_grad(
            first, h_ptr, weight_ptr, dh_ptr, act_ptr, dweight_ptr, row, inside, left, rows, F,
            SLOT, BLOCK_M, half,
        )  # fmt: skip
        _swiglu_grad(
            second, h_ptr, weight_ptr, dh_ptr, act_ptr, dweight_ptr, row, inside, left + half,
            rows, F, SLOT, BLOCK_M, half,
        )  # fmt: skip
    elif left < F:
        n = left + tl.arange(0, BLOCK_N)
        stored = inside[:, None] & (n < F)[None, :]
        h_at = row[:, None] * (2 * F) + n[None, :]
        gate = tl.load(h_ptr + h_at, mask=stored, other=0.0).to(tl.float32)
        up = tl.load(h_ptr + h_at + F, mask=stored, other=0.0).to(tl.float32)
        share = tl.sigmoid(gate)
        silu = gate * share
        dweight_at = dweight_ptr + (left // SLOT).to(tl.int64) * rows + row
        tl.store(dweight_at, tl.sum(dact * silu * up, axis=1), mask=inside)
        weight = tl.load(weight_ptr + row)[:, None]
        act_at = act_ptr + row[:, None] * F + n[None, :]
        tl.store(act_at, (weight * silu * up).to(act_ptr.dtype.element_ty), mask=stored)
        dgate = weight * dact * up * (share + silu * (1.0 - share))
        tl.store(dh_ptr + h_at, dgate.to(dh_ptr.dtype.element_ty), mask=stored)
        dup = weight * dact * silu
        tl.store(dh_ptr + h_at + F, dup.to(dh_ptr.dtype.element_ty), mask=stored)


@tuned(WEIGHT_GRAD, "M", "N", block_m=True)
@kernel
def weight_grad(
    a_ptr, b_ptr, out_ptr, token_ptr, start_ptr, M, N,
    GATHER_A: tl.constexpr, PRECISION: tl.constexpr,
    BLOCK_M: tl.constexpr, BLOCK_N: tl.constexpr, BLOCK_K: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    """Write for each expert the sum over its rows of a[row] x b[row].

    One of the two has one row per token, a if GATHER_A, and the other one per row of the plan.
    """
    high, wide = tl.cdiv(M, BLOCK_M), tl.cdiv(N, BLOCK_N)
    expert, tile = tl.program_id(0) // (high * wide), tl.program_id(0) % (high * wide)
    i, j = tl.swizzle2d(tile // wide, tile % wide, high, wide, GROUP)
    m = i * BLOCK_M + tl.arange(0, BLOCK_M)
    n = j * BLOCK_N + tl.arange(0, BLOCK_N)
    k = tl.arange(0, BLOCK_K)
    end = tl.load(start_ptr + expert + 1)
    out = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for done in range(tl.load(start_ptr + expert), end, BLOCK_K):
        row = done + k
        deep = row < end
        token = tl.load(token_ptr + row, mask=deep, other=0).to(tl.int64)
        row = row.to(tl.int64)
        a_row, b_row = (token, row) if GATHER_A else (row, token)
        a_at = a_ptr + a_row[:, None] * M + m[None, :]
        b_at = b_ptr + b_row[:, None] * N + n[None, :]
        a = tl.load(a_at, mask=deep[:, None] & (m < M)[None, :], other=0.0)
        b = tl.load(b_at, mask=deep[:, None] & (n < N)[None, :], other=0.0)
        out = tl.dot(tl.trans(a), b, out, input_precision=PRECISION)
    out_at = out_ptr + expert.to(tl.int64) * M * N + m[:, None].to(tl.int64) * N + n[None, :]
    tl.store(out_at, out.to(out_ptr.dtype.element_ty), mask=(m < M)[:, None] & (n < N)[None, :])


@triton.jit
def combine(
    a_ptr, y_ptr, row_ptr, row_start_ptr, kept_ptr, N, stride_t,
    BLOCK_R: tl.constexpr, BLOCK_N: tl.constexpr,
):  # fmt: skip
    """Write for each token the sum of its kept rows, always in the same order."""
    token = tl.program_id(0)
    n = tl.program_id(1) * BLOCK_N + tl.arange(0, BLOCK_N)
    kept = tl.load(kept_ptr)
    end = tl.load(row_start_ptr + token + 1)
    y = tl.zeros((BLOCK_N,), tl.float32)
    for done in range(tl.load(row_start_ptr + token), end, BLOCK_R):
        place = done + tl.arange(0, BLOCK_R)
        row = tl.load(row_ptr + place, mask=place < end, other=kept)
        a_at = a_ptr + row[:, None].to(tl.int64) * N + n[None, :]
        a = tl.load(a_at, mask=(row < kept)[:, None] & (n < N)[None, :], other=0.0)
        y += tl.sum(a.to(tl.float32), axis=0)
    y_at = y_ptr + token.to(tl.int64) * stride_t + n
    tl.store(y_at, y.to(y_ptr.dtype.element_ty), mask=n < N)
