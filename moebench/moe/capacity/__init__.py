"""Capacity: how many rows an expert accepts, who comes first, and where the rest go."""
