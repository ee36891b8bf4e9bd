"""How runs are carried out, as a person may choose it."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moebench.run.engines import open_engine
from moebench.run.engines.profile import EngineProfile

if TYPE_CHECKING:  # it needs torch, which a command line does not
    from moebench.run.engine import Engine


@dataclass(frozen=True)
class Execution:
    """How runs are carried out.

    Args:
        workers: how many at once; None: as many as the engine has room for.
        engine: by what.
        time_limit: seconds that each may take.

    Raises:
        ValueError: for no workers or no time.
    """

    workers: int | None = 1
    engine: EngineProfile = field(default_factory=EngineProfile)
    time_limit: float = math.inf

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            raise ValueError(f"workers={self.workers}: must be at least 1")
        if not self.time_limit > 0:
            raise ValueError(f"time_limit={self.time_limit:g}: must be above 0 seconds")

    def start(self) -> "Engine":
        """Return the engine, ready for jobs."""
        return open_engine(self.engine, self.workers)
