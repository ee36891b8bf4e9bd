"""The grouped product as torch.compile must leave it: outside its graphs.

Its compiler takes the kernel in bfloat16 alone, though it runs in other types too.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from moebench.moe.experts.grouped_matmul import kernel

kernel_outside_graphs: Callable[[Tensor, Tensor, Tensor], Tensor] = torch.compiler.disable(kernel)
