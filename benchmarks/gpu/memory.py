"""The GPU memory used by a training pass."""

import gc

import torch
from torch import Tensor, nn


def release() -> None:
    """Free GPU memory, collecting the reference cycles between models and trainers first."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


def answer_of(block: nn.Module, x_TD: Tensor) -> Tensor:
    """Return y_TD of a block, whatever else it returns."""
    answer = block(x_TD)
    found: Tensor = answer[0] if isinstance(answer, tuple) else answer
    return found


def held(block: nn.Module, x_TD: Tensor) -> dict[str, int]:
    """Return the bytes that one pass needs besides weights, tokens and the output's gradient.

    `kept` is the memory between forward and backward: what backward needs, and the output.
    `activations` is the peak over both minus the gradients of weights and tokens, but at least
    `kept`: some gradients do not exist yet at the peak, so this is a lower bound. `peak` is the
    peak itself.
    """
    inputs = [x_TD, *(weight for weight in block.parameters() if weight.requires_grad)]
    slope_TD = torch.randn_like(x_TD)
    for one in inputs:
        one.grad = None
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    answer = answer_of(block, x_TD)
    kept = torch.cuda.memory_allocated() - before
    answer.backward(slope_TD)
    peak = torch.cuda.max_memory_allocated() - before
    gradients = sum(one.grad.nbytes for one in inputs if one.grad is not None)
    for one in inputs:
        one.grad = None
    return {"kept": kept, "activations": max(kept, peak - gradients), "peak": peak}
