"""What MLflow is told of a sweep's runs, besides their records."""

from collections.abc import Mapping, Sequence

from optuna.trial import FrozenTrial

from moebench import tracking
from moebench.evidence.record import RunRecord
from moebench.sweeps.arms import TrialArm
from moebench.sweeps.best import best_dense
from moebench.sweeps.definition import Sweep
from moebench.sweeps.study import CACHED


def tags(
    sweep: Sweep,
    trials: Sequence[FrozenTrial],
    best: FrozenTrial | None,
    records: Sequence[RunRecord],
) -> Mapping[str, Mapping[str, str]]:
    """Return arm -> tags.

    Every trial is compared with the first baseline at its best tuning point; with fresh seeds, that
    baseline was run with those as well as the trials' seeds.
    """
    found, dense = {}, {}
    for matched, arm in list(best_dense(sweep, records).items())[:1]:
        named = arm.again if sweep.fresh_seeds > 0 else arm
        dense = {tracking.DENSE_ARM: named.name, tracking.MATCHED_ON: matched}
    for trial in trials:
        own = {"trial": str(trial.number), "trial.state": trial.state.name, **dense}
        if CACHED in trial.user_attrs:
            own["cached_from"] = TrialArm(trial.user_attrs[CACHED]).name
        # Set on the others as well: one of them may have been the best of fewer trials.
        own["best"] = str(best is not None and trial.number == best.number).lower()
        found[TrialArm(trial.number).name] = own
    return found
