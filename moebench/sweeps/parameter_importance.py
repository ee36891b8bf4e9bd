"""How much each parameter matters: its share of the variance of the first objective."""

import math
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from moebench.comparison.measures import value_of
from moebench.evidence.record import RunRecord
from moebench.sweeps.definition import Sweep

RESAMPLES = 40
TREES = 32
FEWEST = 8  # trials; a forest fitted to fewer says nothing


def importances(trials: Sequence[FrozenTrial], sweep: Sweep) -> dict[str, dict[str, float]]:
    """Return name -> share of the variance with a 95% bootstrap interval over the trials.

    Empty if there are too few trials or fewer than two names, or if nothing varies.

    Source: Hutter, Hoos and Leyton-Brown 2014, functional ANOVA of a random forest.
    """
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    if len(done) < FEWEST or len(sweep.space) < 2:
        return {}
    values = [trial.values[0] for trial in done]
    estimate = shares(done, values, 0)
    rng = np.random.default_rng(0)
    resampled = []
    for seed in range(RESAMPLES if estimate else 0):
        chosen = rng.integers(len(done), size=len(done))
        again = [done[index] for index in chosen]
        resampled.append(shares(again, [values[index] for index in chosen], seed))
    return {
        name: {
            "share": share,
            "low": float(np.quantile([found.get(name, 0.0) for found in resampled], 0.025)),
            "high": float(np.quantile([found.get(name, 0.0) for found in resampled], 0.975)),
        }
        for name, share in sorted(estimate.items(), key=lambda item: -item[1])
    }


def by_seed(
    trials: Sequence[FrozenTrial], records: Mapping[int, Sequence[RunRecord]], sweep: Sweep
) -> dict[int, dict[str, float]]:
    """Return seed -> name -> share of the variance among the runs with that seed.

    Args:
        trials: the study's trials.
        records: of each trial, by its number.
        sweep: the sweep.
    """
    done = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    if len(done) < FEWEST or len(sweep.space) < 2:
        return {}
    objective = next(iter(sweep.objectives))
    values = {
        seed: [value_of(records[trial.number][place], objective) for trial in done]
        for place, seed in enumerate(sweep.trial_seeds)
    }
    return {seed: shares(done, of_seed, 0) for seed, of_seed in values.items()}


def shares(trials: Sequence[FrozenTrial], values: Sequence[float], seed: int) -> dict[str, float]:
    """Return the shares that a random forest assigns; empty if all values are equal.

    Each share is what a name explains alone; whatever is missing from 1 is due to interactions.
    """
    if max(values) == min(values):
        return {}
    # Imported here, as it is a sixth of a sweep's import time and only needed at the end.
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    study = optuna.create_study()
    for trial, value in zip(trials, values, strict=True):
        study.add_trial(_as_drawn(trial, value))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = FanovaImportanceEvaluator(n_trees=TREES, seed=seed)
        return dict(get_param_importances(study, evaluator=evaluator, normalize=False))


def _as_drawn(trial: FrozenTrial, value: float) -> FrozenTrial:
    """Return a trial with the logarithms of parameters that were sampled on a log scale.

    Optuna computes the variance over the numbers themselves: between 1e-4 and 1, nearly all of that
    range is above 0.01, but only half of the trials are.
    """
    params, distributions = dict(trial.params), dict(trial.distributions)
    for name, found in trial.distributions.items():
        if isinstance(found, FloatDistribution | IntDistribution) and found.log:
            params[name] = math.log(params[name])
            distributions[name] = FloatDistribution(math.log(found.low), math.log(found.high))
    return create_trial(params=params, distributions=distributions, value=value)
