"""One MoE layer, forward and backward: our dispatchers, Hugging Face's block, a dense block.

The dense block has the mixture's active size: K experts of width F as one SwiGLU. All others
compute the same function with the same weights. Run: `python -m benchmarks.layer`.
"""

import argparse
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from benchmarks.command import add_device, number_of_rounds, one_line, parser, whole_number
from benchmarks.timing import in_turn, ratios, save, table
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import SwiGLU
from moebench.moe.layer import MoELayer
from moebench.moe.routers import TopK


class DenseSwiGLU(nn.Module):
    """The dense block of equal active size."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.gate_up = nn.Linear(dim, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, dim, bias=False)

    def forward(self, x_TD: Tensor) -> Tensor:
        """Return y_TD."""
        gate_TF, up_TF = self.gate_up(x_TD).chunk(2, dim=-1)
        answer: Tensor = self.down(silu(gate_TF) * up_TF)
        return answer


def huggingface(sizes: Any, implementation: str) -> nn.Module:
    """Return transformers' Mixtral block; ImportError where transformers is not installed.

    Args:
        sizes: has `dim`, `hidden`, `experts` and `k`.
        implementation: transformers' name for the implementation of its experts.
    """
    from transformers import MixtralConfig
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    config = MixtralConfig(
        hidden_size=sizes.dim,
        intermediate_size=sizes.hidden,
        num_local_experts=sizes.experts,
        num_experts_per_tok=sizes.k,
    )
    config._experts_implementation = implementation
    block: nn.Module = MixtralSparseMoeBlock(config)
    for parameter in block.parameters():
        nn.init.normal_(parameter, std=0.02)
    return block


def step(block: nn.Module, x: Tensor, gradient: Tensor) -> Callable[[], None]:
    """Return one forward and backward pass."""

    def run() -> None:
        block.zero_grad(set_to_none=True)
        answer = block(x)
        answer = answer[0] if isinstance(answer, tuple) else answer
        answer.backward(gradient)

    return run


def cases(options: argparse.Namespace, dtype: torch.dtype) -> dict[str, Callable[[], None]]:
    """Return everything to be timed, by name."""
    torch.manual_seed(0)
    device = options.device
    x_TD = torch.randn(options.tokens, options.dim, dtype=dtype, device=device, requires_grad=True)
    gradient_TD = torch.randn_like(x_TD)
    blocks: dict[str, nn.Module] = {"dense": DenseSwiGLU(options.dim, options.k * options.hidden)}
    for name, dispatcher in DISPATCHERS.items():
        router = TopK(options.dim, options.experts, options.k)
        experts = SwiGLU(options.dim, options.experts, options.hidden)
        blocks[f"moebench {name}"] = MoELayer(router, experts, dispatcher())
    found = {
        name: step(block.to(device, dtype), x_TD, gradient_TD) for name, block in blocks.items()
    }
    for implementation in ("eager", "grouped_mm"):
        block = huggingface(options, implementation).to(device, dtype)
        x_BLD = x_TD.detach()[None].requires_grad_()
        found[f"huggingface {implementation}"] = step(block, x_BLD, gradient_TD[None])
    return found


@one_line
def main() -> None:
    """Time, print, and append to results.jsonl."""
    made = parser("benchmarks.layer", __doc__)
    for name, default in [("experts", 8), ("k", 2)]:
        made.add_argument(f"--{name}", type=whole_number(), default=default)
    for name, default in [("dim", 512), ("hidden", 1024)]:  # torch's kernel needs multiples
        made.add_argument(f"--{name}", type=whole_number(multiple_of=8), default=default)
    made.add_argument("--tokens", type=whole_number(), default=2048)
    made.add_argument("--rounds", type=number_of_rounds, default=15)
    add_device(made)
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    for dtype in (torch.float32, torch.bfloat16):
        passes = cases(options, dtype)
        rows = ratios(in_turn(passes, options.rounds), against="dense")
        name = str(dtype).removeprefix("torch.")
        print(table(f"{name}, time over that of a dense block of equal active size", rows))
        if options.save:
            save("layer", {**vars(options), "dtype": name}, rows)


if __name__ == "__main__":
    main()
