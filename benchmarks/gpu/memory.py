"""What a pass of training keeps in the memory of the card."""

import gc

import torch
from torch import Tensor, nn


def release() -> None:
    """Give back memory of the card; models and trainers hold one another until they are found."""
    if torch.cuda.is_available():
        gc.collect()
        torch.cuda.empty_cache()


def answer_of(block: nn.Module, x_TD: Tensor) -> Tensor:
    """Return y_TD of a block, whatever it returns beside it."""
    answer = block(x_TD)
    found: Tensor = answer[0] if isinstance(answer, tuple) else answer
    return found


def held(block: nn.Module, x_TD: Tensor) -> dict[str, int]:
    """Return the bytes that one pass needs beside weights, tokens and the gradient of the answer.

    `kept` is what lies there between forward and backward: what backward needs, and the answer.
    `activations` is the peak over both less the gradients of weights and tokens, but no less than
    `kept`: at the peak some gradients are still to be made, so it is the least it can have been.
    `peak` is the peak itself.
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
