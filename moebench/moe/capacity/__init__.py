"""Capacity: how many rows an expert accepts, who comes first, and where the rest go."""

from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.capacity.overflow import OVERFLOW, Drop, NextExpert

__all__ = ["OVERFLOW", "Capacity", "Drop", "Limited", "NextExpert"]
