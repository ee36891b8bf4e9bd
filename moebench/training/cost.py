"""The cost of a model, counted on the model itself: parameters, active parameters, FLOPs per token.

Every comparison states three costs, whichever of them was held equal; the third, measured time,
comes from the run.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.layer import MoELayer


@dataclass(frozen=True)
class Cost:
    """The size of a model and the work of one forward pass."""

    params_total: int
    params_active: int  # parameters that process a token, on average over a batch
    flops_per_token: float  # forward pass; a multiplication and an addition count one each


def grouped_mm_flops(
    a_shape: Sequence[int],
    b_shape: Sequence[int],
    *_: Any,
    **__: Any,
) -> int:
    """Return the FLOPs of one grouped product, in both forms that training uses.

    Rows times one matrix per group (forward, gradient of the rows): (R, D) x (E, D, F). Columns
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
    """Return the FLOPs of LSTM layers in cuDNN: (L, B, D) and the weights that are matrices."""
    matrices = sum(prod(shape) for shape in weight_shapes if len(shape) == 2)
    return 2 * x_shape[0] * x_shape[1] * matrices


def attention_flops(
    query_shape: Sequence[int],
    key_shape: Sequence[int],
    value_shape: Sequence[int],
    *_: Any,
    **__: Any,
) -> int:
    """Return the FLOPs of attention with (B, H, L, R) queries; masked scores count in full."""
    batch, heads, length, width = query_shape
    return 2 * batch * heads * length * key_shape[2] * (width + value_shape[3])


def flop_counter() -> FlopCounterMode:
    """Return torch's FLOP counter, extended to kernels that it would count as zero."""
    return FlopCounterMode(
        display=False,
        custom_mapping={
            torch.ops.aten._grouped_mm: grouped_mm_flops,
            torch.ops.aten.mkldnn_rnn_layer: lstm_cpu_flops,
            torch.ops.aten._cudnn_rnn: lstm_cuda_flops,
            torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: attention_flops,
        },
    )


class EvenSplit(nn.Module):
    """Dispatcher for the meta device: splits the requested rows evenly among the experts."""

    def forward(self, x_TD: Tensor, decision: RoutingDecision, experts: nn.Module) -> Tensor:
        """Return a tensor of the right shape.

        Raises:
            ValueError: if the rows do not divide among the experts.
        """
        rows, num_experts = decision.expert_A.numel(), decision.num_experts
        if rows % num_experts:
            raise ValueError(
                f"tokens={decision.num_tokens}: their {rows} rows do not divide among the "
                f"{num_experts} experts; count on a batch of {num_experts} tokens or a multiple"
            )
        count_E = torch.tensor(rows // num_experts, device=x_TD.device).expand(num_experts)
        experts(x_TD.new_empty(rows, x_TD.shape[1]), count_E)
        return torch.empty_like(x_TD)


@contextmanager
def nothing_dropped(network: nn.Module) -> Iterator[None]:
    """Make the experts of every mixture serve all requests while the context is open."""

    def keep_all(_: nn.Module, __: tuple[Tensor, ...], decision: Any) -> RoutingDecision:
        everything: RoutingDecision = replace(decision, kept_A=torch.ones_like(decision.kept_A))
        return everything

    with ExitStack() as hooks:
        for module in network.modules():
            if isinstance(module, MoELayer):
                router = module.get_submodule("router")
                hooks.enter_context(router.register_forward_hook(keep_all))
        yield


def count(network: nn.Module, forward: Callable[[], object], tokens: int) -> Cost:
    """Count the cost of `network` while `forward()` runs it once.

    Rows that experts serve count; the padding of a dispatcher's buffers does not, as it belongs to
    the dispatcher and shows in measured time. On the meta device, where a model has shapes but no
    data, every row is kept and all experts get equally many.

    Args:
        network: the model; its mixtures are found by their class, `MoELayer`.
        forward: calls the network on a batch; the mode (training or not) stays as it is.
        tokens: number of tokens in that batch.
    """
    idle = 0.0
    meta = any(parameter.is_meta for parameter in network.parameters())
    with ExitStack() as hooks:

        def note_idle(layer: nn.Module, _: tuple[Tensor, ...], result: Any) -> None:
            nonlocal idle
            decision = result[1]
            rows = decision.kept_A.numel() if meta else decision.kept_A.sum().item()
            rows_per_token = rows / decision.num_tokens
            share = 1 - rows_per_token / decision.num_experts
            idle += share * parameters(layer.get_submodule("experts"))

        for module in network.modules():
            if isinstance(module, MoELayer):
                hooks.enter_context(module.register_forward_hook(note_idle))
                hooks.callback(setattr, module, "dispatcher", module.dispatcher)
                module.dispatcher = EvenSplit() if meta else Grouped()
        counter = hooks.enter_context(flop_counter())
        hooks.enter_context(torch.no_grad())
        forward()
    total = parameters(network)
    return Cost(total, round(total - idle), counter.get_total_flops() / tokens)


def count_batch(network: nn.Module, batch: Any) -> Cost:
    """Count the cost of one batch of tokens: all ids of encoder and decoder, padding included."""
    ids = [batch.input_BL, batch.context_BL]
    tokens = sum(part.numel() for part in ids if part is not None)
    with torch.random.fork_rng():
        return count(network, lambda: network(batch), tokens)


def parameters(module: nn.Module) -> int:
    """Return the number of parameters; shared ones count once."""
    return sum(parameter.numel() for parameter in module.parameters())
