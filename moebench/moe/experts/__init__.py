"""Experts: the functions that are mixed, with the weights of all of them in one tensor.

Example:
    eight = experts.SwiGLU(64, 8, hidden=128)  # width of a token, number of experts
"""

from moebench.moe.experts.linear import Linear
from moebench.moe.experts.relu_mlp import ReluMLP
from moebench.moe.experts.swiglu import SwiGLU

EXPERTS = {"linear": Linear, "relu_mlp": ReluMLP, "swiglu": SwiGLU}

__all__ = ["EXPERTS", "Linear", "ReluMLP", "SwiGLU"]
