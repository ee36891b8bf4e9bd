"""A run that does nothing, for the benchmark of the scheduler; its module imports nothing."""

import time


def noop() -> dict[str, float]:
    """Return when it was called, in unix seconds."""
    return {"began": time.time()}
