"""The kernels as torch.compile must leave them: outside its graphs.

Its compiler takes few of the ways in which a kernel of Triton can be tuned.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch.fused.autograd import swiglu

swiglu_outside_graphs: Callable[[Tensor, RoutingDecision, Tensor, Tensor], Tensor]
swiglu_outside_graphs = torch.compiler.disable(swiglu)
