"""The results of all replicas, seed by seed, as records need them.

Metrics are named `step_<size>/<name>`: `epochs`, `reached` (1 or 0), `diverged`, `error/train`,
`accuracy/train`, `accuracy/test`, and for mixtures `active` and `effective`. NaN is left out.
"""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from moebench.evidence.replicas import ReplicaResult


def by_seed(
    seeds: Sequence[int], step_sizes: Sequence[float], results: Mapping[str, Tensor]
) -> list[ReplicaResult]:
    """Gather the results of each seed over all step sizes.

    A seed has diverged if every step size was too large; its steps are the sum over step sizes.

    Args:
        seeds: seeds, in the order of the replicas.
        step_sizes: step sizes, in the order of the replicas: all seeds of one, then of the next.
        results: columns with one number per replica, including `epochs` and `diverged`.
    """
    columns = {name: column_S.view(len(step_sizes), -1) for name, column_S in results.items()}
    found = []
    for number, seed in enumerate(seeds):
        metrics = {
            f"step_{size:g}/{name}": column[row, number].item()
            for name, column in columns.items()
            for row, size in enumerate(step_sizes)
        }
        diverged = bool(columns["diverged"][:, number].all())
        found.append(
            ReplicaResult(
                seed=seed,
                status="diverged" if diverged else "finished",
                steps=int(columns["epochs"][:, number].sum()),
                metrics={k: float(v) for k, v in metrics.items() if math.isfinite(v)},
            )
        )
    return found
