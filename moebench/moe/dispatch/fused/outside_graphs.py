"""The kernels, kept outside the graphs of torch.compile.

The compiler supports few of Triton's ways to tune a kernel.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.fused.autograd import swiglu

swiglu_outside_graphs: Callable[[Tensor, RoutingDecision, Tensor, Tensor], Tensor]
swiglu_outside_graphs = torch.compiler.disable(swiglu)
