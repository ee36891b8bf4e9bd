"""Dispatchers: how tokens reach their experts and how the answers come back.

Example:
    y_TD = dispatchers.Grouped()(x_TD, router(x_TD), experts.SwiGLU(64, 8, hidden=128))
"""

from moebench.moe.dispatch.buffers import Buffers
from moebench.moe.dispatch.fused import Fused
from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.dispatch.loop import Loop

DISPATCHERS = {"buffers": Buffers, "fused": Fused, "grouped": Grouped, "loop": Loop}

__all__ = ["DISPATCHERS", "Buffers", "Fused", "Grouped", "Loop"]
