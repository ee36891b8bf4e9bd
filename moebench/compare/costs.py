"""The costs that two arms may have in common, and how far apart they may lie."""

# Widths come in multiples of 16, and a measured time is never the same twice.
EQUAL = {"flops_per_token": 0.05, "params_total": 0.05, "seconds_per_step": 0.10}
NAMES = dict(zip(EQUAL, ("FLOPs", "parameters", "time"), strict=True))
