"""A run that does nothing, for the benchmark of the scheduler; a worker imports no more than this."""

import time


def noop() -> dict[str, float]:
    """Return when it was called, in unix seconds."""
    return {"began": time.time()}
