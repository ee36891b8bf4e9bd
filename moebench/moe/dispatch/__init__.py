"""Dispatchers: how tokens reach their experts and how the answers come back."""

from moebench.moe.dispatch.buffers import Buffers
from moebench.moe.dispatch.grouped import Grouped
from moebench.moe.dispatch.loop import Loop

DISPATCHERS = {"buffers": Buffers, "grouped": Grouped, "loop": Loop}

__all__ = ["DISPATCHERS", "Buffers", "Grouped", "Loop"]
