"""How runs are carried out, as a person may choose it."""

import math
import os
from dataclasses import dataclass

import torch

from moebench.run.engine import Engine
from moebench.run.engines import LOCAL, known_engine, open_engine


@dataclass(frozen=True)
class Execution:
    """How runs are carried out.

    Args:
        workers: how many at once.
        engine: by what; a name of ENGINES.
        time_limit: seconds that each may take.

    Raises:
        ValueError: for no workers, no time, or an engine that there is not.
    """

    workers: int = 1
    engine: str = LOCAL
    time_limit: float = math.inf

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers={self.workers}: must be at least 1")
        if not self.time_limit > 0:
            raise ValueError(f"time_limit={self.time_limit:g}: must be above 0 seconds")
        known_engine(self.engine)

    def start(self) -> Engine:
        """Return the engine, ready for jobs."""
        return open_engine(self.engine, self.workers)


def default_workers() -> int:
    """Return one worker per accelerator, or per core where there is none."""
    return torch.cuda.device_count() or len(os.sched_getaffinity(0))
