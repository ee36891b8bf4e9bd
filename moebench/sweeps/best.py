"""What a sweep chooses: the trial that wins, and where each dense model stands at its best."""

import math
from collections import defaultdict
from collections.abc import Sequence

from optuna.trial import FrozenTrial

from moebench.comparison.measures import mean_values
from moebench.evidence.record import RunRecord
from moebench.papers.plan import MatchedOn
from moebench.sweeps.arms import DenseArm
from moebench.sweeps.definition import Sweep


def winner(trials: Sequence[FrozenTrial], sweep: Sweep) -> FrozenTrial | None:
    """Return the feasible trial with the best first objective; of equals, the earliest."""
    sign = 1 if next(iter(sweep.objectives.values())) == "minimize" else -1
    allowed = [trial for trial in trials if not passed(trial)]
    ranked = sorted(allowed, key=lambda trial: (sign * trial.values[0], trial.number))
    return ranked[0] if ranked else None


def passed(trial: FrozenTrial) -> list[str]:
    """Return the constraints that a trial does not keep."""
    return [name for name, over in trial.constraints.items() if over > 0]


def best_dense(sweep: Sweep, records: Sequence[RunRecord]) -> dict[MatchedOn, DenseArm]:
    """Return matched cost -> the arm in which the dense model was at its best.

    Compares the mean of the first objective over the trials' seeds; points with an unfinished run
    lose, and of equals the untuned model wins.
    """
    objective, direction = next(iter(sweep.objectives.items()))
    sign = 1 if direction == "minimize" else -1
    runs: dict[str, list[RunRecord]] = defaultdict(list)
    for record in records:
        if record.seed in sweep.trial_seeds:
            runs[record.arm].append(record)

    def value(arm: DenseArm) -> float:
        found = runs[arm.name]
        if len(found) < len(sweep.trial_seeds) or any(r.status != "finished" for r in found):
            return math.inf
        return sign * mean_values(found, [objective])[0]

    points = [None, *range(len(sweep.tuning_points))]
    return {
        matched: min((DenseArm(matched, point) for point in points), key=value)
        for matched in sweep.baselines
    }
