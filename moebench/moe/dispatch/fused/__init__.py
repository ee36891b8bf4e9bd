"""The dispatcher for GPUs: experts of one kind, in kernels of their own."""

from moebench.moe.dispatch.fused.dispatcher import Fused, fits, usable

__all__ = ["Fused", "fits", "usable"]
