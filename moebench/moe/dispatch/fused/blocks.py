"""The block sizes of the kernels: tuned on the GPU, tiny where Triton interprets."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import triton

INTERPRETED: bool = triton.knobs.runtime.interpret
HEIGHTS = (16,) if INTERPRETED else (16, 64, 128)  # rows per tile; each is compiled separately
COLUMNS = 32 if INTERPRETED else 256  # a slice of columns is a multiple of this
SLICE = 1 if INTERPRETED else 2**24  # elements below which slicing costs more than it saves
SLOT = 16 if INTERPRETED else 32  # columns per partial sum of a row
GROUP = 8  # tiles of rows that share the columns of a matrix while these are in the cache

Block = tuple[int, int, int, int]  # columns, depth, warps, stages of the pipeline

# First a large tile that has a Hopper multiprocessor to itself: with 128 x 256 results it is bound
# by compute, not by memory. Then one of which two fit, so that one multiplies while the other
# stores. Loads through an index take up half of the stages.
GATE_UP: tuple[Block, ...] = ((128, 64, 8, 4), (64, 64, 4, 3))  # two results each
PRODUCT: tuple[Block, ...] = ((256, 64, 8, 4), (128, 64, 4, 3))
DOWN_GRAD: tuple[Block, ...] = ((256, 64, 8, 3), (128, 64, 4, 3))
WEIGHT_GRAD: tuple[Block, ...] = ((256, 64, 8, 7), (128, 64, 4, 5))
EXACT: Block = (64, 16, 4, 3)  # for float32, which the matrix units do not support
TINY: Block = (32, 16, 1, 1)


def tile_height(rows: int, num_experts: int, dtype: torch.dtype) -> int:
    """Return the rows per tile: the fewest that hold an expert's mean rows, or else the most.

    Args:
        rows: rows of all experts.
        num_experts: number of experts.
        dtype: dtype of the rows.
    """
    heights = HEIGHTS[:2] if dtype == torch.float32 else HEIGHTS
    return next((height for height in heights if height * num_experts >= rows), heights[-1])


def slice_width(columns: int, rows: int, tokens: int, hidden: int) -> int:
    """Return how many columns of all rows to compute at once.

    They fill no more memory than the activations, or than all columns of the tokens. Neither grows
    with the number of experts per token, if the experts shrink in proportion.

    Args:
        columns: number of columns in all.
        rows: rows of all experts.
        tokens: number of tokens.
        hidden: width F of the experts.
    """
    width = max(columns * tokens // rows, hidden, SLICE // rows, 1)
    even = -(-columns // -(-columns // width))
    return min(columns, -(-even // COLUMNS) * COLUMNS)


def tuned(blocks: tuple[Block, ...], *key: str, block_m: bool = False) -> Callable[[Any], Any]:
    """Return a decorator that finds a kernel's fastest block, once for each value of `key`.

    Args:
        blocks: the blocks to try.
        key: names of the arguments that the best block depends on.
        block_m: whether the block sets the rows per tile, because the plan does not.
    """
    high = {"BLOCK_M": HEIGHTS[-1]} if block_m else {}
    configs = [_config(block, high) for block in ((TINY,) if INTERPRETED else blocks)]
    if not INTERPRETED:
        configs.append(_config(EXACT, dict.fromkeys(high, EXACT[0])))
    decorate: Callable[[Any], Any] = triton.autotune(
        configs, key=list(key), prune_configs_by={"early_config_prune": _of_type}
    )
    return decorate


def _config(block: Block, high: Mapping[str, int]) -> Any:
    columns, depth, warps, stages = block
    sizes = {"BLOCK_N": columns, "BLOCK_K": depth, **high}
    return triton.Config(sizes, num_warps=warps, num_stages=stages)


def _of_type(configs: list[Any], arguments: Mapping[str, Any], **_: Any) -> list[Any]:
    """Return the blocks that suit the dtype of the first operand."""
    exact = arguments["a_ptr"].dtype == torch.float32
    return [found for found in configs if (found.kwargs["BLOCK_K"] == EXACT[1]) == exact]
