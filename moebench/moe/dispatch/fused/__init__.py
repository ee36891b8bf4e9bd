"""The dispatcher for GPUs: SwiGLU experts in custom kernels."""

from moebench.moe.dispatch.fused.dispatcher import Fused, fits, usable

__all__ = ["Fused", "fits", "usable"]
