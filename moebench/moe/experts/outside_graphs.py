"""The grouped product, kept outside the graphs of torch.compile.

The compiler supports the kernel in bfloat16 alone, though it runs in other dtypes too.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from moebench.moe.experts.grouped_matmul import kernel

kernel_outside_graphs: Callable[[Tensor, Tensor, Tensor], Tensor] = torch.compiler.disable(kernel)
