"""What a model costs, counted from the model itself: parameters, active parameters, FLOPs a token.

Three costs stand beside every comparison, whichever of them was held equal; the third, measured
time, comes from the run.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.layer import MoELayer


@dataclass(frozen=True)
class Cost:
    """The size of a model and the work of one forward pass."""

    params_total: int
    params_active: int  # parameters one token meets, on average over a batch
    flops_per_token: float  # forward pass; multiplications and additions count one each


def grouped_mm_flops(
    a_shape: Sequence[int],
    b_shape: Sequence[int],
    *_: Any,
    **__: Any,
) -> int:
    """Return the FLOPs of one grouped product, in both forms that training uses.

    Rows times a matrix per group (forward, gradient of the rows): (R, D) x (E, D, F). Columns
    times rows, summed within each group (gradient of the matrices): (D, R) x (R, F).
    """
    return 2 * a_shape[0] * a_shape[1] * b_shape[-1]


def lstm_cpu_flops(
    x_shape: Sequence[int], in_shape: Sequence[int], state_shape: Sequence[int], *_: Any, **__: Any
) -> int:
    """Return the FLOPs of one LSTM layer in oneDNN: (L, B, D), (4D, D), (4D, D)."""
    return 2 * x_shape[0] * x_shape[1] * (prod(in_shape) + prod(state_shape))


def lstm_cuda_flops(
    x_shape: Sequence[int], weight_shapes: Sequence[Sequence[int]], *_: Any, **__: Any
) -> int:
    """Return the FLOPs of LSTM layers in cuDNN: (L, B, D) and their weights, of which matrices."""
    matrices = sum(prod(shape) for shape in weight_shapes if len(shape) == 2)
    return 2 * x_shape[0] * x_shape[1] * matrices


def flop_counter() -> FlopCounterMode:
    """Return torch's counter, taught the kernels that it otherwise counts as nothing."""
    return FlopCounterMode(
        display=False,
        custom_mapping={
            torch.ops.aten._grouped_mm: grouped_mm_flops,
            torch.ops.aten.mkldnn_rnn_layer: lstm_cpu_flops,
            torch.ops.aten._cudnn_rnn: lstm_cuda_flops,
        },
    )


def count(network: nn.Module, forward: Callable[[], object], tokens: int) -> Cost:
    """Count the cost of `network` while `forward()` runs it once.

    Rows that experts serve count; the padding of a dispatcher's buffers does not: it is a price of
    the dispatcher and shows in measured time.

    Args:
        network: the model; its mixtures are found by their class, `MoELayer`.
        forward: calls the network on a real batch; the mode (training or not) is left alone.
        tokens: number of tokens in that batch.
    """
    idle = 0.0
    with ExitStack() as hooks:

        def note_idle(layer: nn.Module, _: tuple[Tensor, ...], result: Any) -> None:
            nonlocal idle
            decision = result[1]
            rows_per_token = decision.kept_A.sum().item() / decision.num_tokens
            share = 1 - rows_per_token / decision.num_experts
            idle += share * parameters(layer.get_submodule("experts"))

        for module in network.modules():
            if isinstance(module, MoELayer):
                hooks.enter_context(module.register_forward_hook(note_idle))
                hooks.callback(setattr, module, "dispatcher", module.dispatcher)
                module.dispatcher = Grouped()
        counter = hooks.enter_context(flop_counter())
        hooks.enter_context(torch.no_grad())
        forward()
    total = parameters(network)
    return Cost(total, round(total - idle), counter.get_total_flops() / tokens)


def count_batch(network: nn.Module, batch: Any) -> Cost:
    """Count one call of a model of tokens; the ids of encoder and decoder are its tokens."""
    ids = [batch.input_BL, batch.context_BL]
    tokens = sum(part.numel() for part in ids if part is not None)
    with torch.random.fork_rng():
        return count(network, lambda: network(batch), tokens)


def parameters(module: nn.Module) -> int:
    """Return the number of parameters, shared ones counted once."""
    return sum(parameter.numel() for parameter in module.parameters())


def active_parameters(network: nn.Module, k: int) -> int:
    """Return the parameters that one token meets if each mixture sends it to k experts.

    Needs no batch, and no memory for the weights: it serves models on the meta device.
    """
    idle = 0
    for module in network.modules():
        if isinstance(module, MoELayer):
            of_experts = parameters(module.get_submodule("experts"))
            num_experts: Any = module.router.num_experts
            idle += of_experts - of_experts * k // num_experts
    return parameters(network) - idle
