"""One MoE layer, forward and backward, from a few experts to many at the same k and tokens.

The work of the experts does not depend on their number. What grows is the gate (D x E products per
token), and the weights to read and gradients to write once per step: they hardly matter with many
rows per expert and dominate with few. Three sizes show both: enough tokens to give each expert 256
rows on average at the largest number of experts, so that none has fewer than 128; then 128, and 8.
Run: `python -m benchmarks.experts`; with `--dim 512 --hidden 1024 --k 4` it is the paper's layer
(Shazeer et al. 2017, arXiv 1701.06538, appendix C.1).

The process keeps the memory that it frees, like processes that train. `--hand-back` shows the cost
of returning it: then the gradients of all experts are new memory at every step.
"""

import argparse
from collections.abc import Callable

import torch

from benchmarks.command import add_device, number_of_rounds, one_line, parser, whole_number
from benchmarks.layer import step
from benchmarks.timing import in_turn, ratios, save, table
from moebench.moe.dispatch import Grouped
from moebench.moe.experts import ReluMLP
from moebench.moe.layer import MoELayer
from moebench.moe.routers import TopK
from moebench.run.allocator import keep_freed_memory


def cases(options: argparse.Namespace, tokens: int) -> dict[str, Callable[[], None]]:
    """Return a forward and backward pass for each number of experts, on the same tokens."""
    torch.manual_seed(0)
    device = options.device
    x_TD = torch.randn(tokens, options.dim, device=device, requires_grad=True)
    gradient_TD = torch.randn_like(x_TD)
    found = {}
    for number in options.experts:
        router = TopK(options.dim, number, options.k)
        experts = ReluMLP(options.dim, number, options.hidden)
        layer = MoELayer(router, experts, Grouped()).to(device)
        with torch.no_grad():
            fewest = int(router(x_TD).expert_A.bincount(minlength=number).min())
        name = f"{number} experts, {options.k * tokens // number} rows (fewest {fewest})"
        found[name] = step(layer, x_TD, gradient_TD)
    return found


@one_line
def main() -> None:
    """Time, print, and append to results.jsonl."""
    made = parser("benchmarks.experts", __doc__)
    made.add_argument("--experts", type=whole_number(), nargs="+", default=[4, 16, 64, 256])
    made.add_argument(
        "--rows", type=whole_number(), nargs="+", default=[256, 128, 8], help="on average"
    )
    for option, default in [("k", 2), ("dim", 256), ("hidden", 512)]:
        made.add_argument(f"--{option}", type=whole_number(), default=default)
    made.add_argument("--rounds", type=number_of_rounds, default=9)
    add_device(made)
    made.add_argument("--hand-back", action="store_true", help="return freed memory")
    made.add_argument("--save", action="store_true", help="append to benchmarks/results.jsonl")
    options = made.parse_args()
    kept = not options.hand_back and keep_freed_memory()
    for rows in options.rows:
        tokens = rows * max(options.experts) // options.k
        passes = cases(options, tokens)
        found = ratios(in_turn(passes, options.rounds), against=next(iter(passes)))
        print(table(f"{tokens} tokens, time over that of {options.experts[0]} experts", found))
        if options.save:
            settings = {**vars(options), "rows": rows, "threads": torch.get_num_threads()}
            settings["memory_kept"] = kept
            save("experts", settings, found)


if __name__ == "__main__":
    main()
