"""What became of a population, seed by seed, as the records of runs need it.

The names of the metrics begin with `step_<size>/`: `epochs`, `reached` (1 or 0), `diverged`,
`error/train`, `accuracy/train`, `accuracy/test`, and of mixtures `active` and `effective`. What is
not a number is left out.
"""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from moebench.evidence.replicas import Outcome


def by_seed(
    seeds: Sequence[int], step_sizes: Sequence[float], results: Mapping[str, Tensor]
) -> list[Outcome]:
    """Gather the results of the copies of each seed, those with all step sizes together.

    A seed has diverged where every step size was too large; its steps are added up over them.

    Args:
        seeds: in the order of the copies.
        step_sizes: in the order of the copies, all seeds of one before those of the next.
        results: columns with a number a copy; `epochs` and `diverged` are among them.
    """
    columns = {name: column_S.view(len(step_sizes), -1) for name, column_S in results.items()}
    outcomes = []
    for number, seed in enumerate(seeds):
        metrics = {
            f"step_{size:g}/{name}": column[row, number].item()
            for name, column in columns.items()
            for row, size in enumerate(step_sizes)
        }
        diverged = bool(columns["diverged"][:, number].all())
        outcomes.append(
            Outcome(
                seed=seed,
                status="diverged" if diverged else "finished",
                steps=int(columns["epochs"][:, number].sum()),
                metrics={k: float(v) for k, v in metrics.items() if math.isfinite(v)},
            )
        )
    return outcomes
