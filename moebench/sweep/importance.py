"""How much each name of the space matters: shares of the variance of the first objective."""

import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import optuna
from optuna.importance import FanovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState

from moebench.sweep.definition import Sweep

RESAMPLES = 40
TREES = 32
FEWEST = 8  # trials; a forest on fewer says nothing


def importances(trials: Sequence[FrozenTrial], sweep: Sweep) -> dict[str, dict[str, float]]:
    """Return name -> share of the variance with a 95% bootstrap interval over the trials.

    Empty where there are too few trials, fewer than two names, or nothing varies.

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
    trials: Sequence[FrozenTrial], values: Mapping[int, Mapping[int, float]], sweep: Sweep
) -> dict[int, dict[str, float]]:
    """Return seed -> name -> share of the variance among the runs with that seed.

    Args:
        trials: of the study.
        values: seed -> number of a trial -> the first objective of its run.
        sweep: what was searched.
    """
    found = {}
    for seed, of_seed in values.items():
        done = [trial for trial in trials if trial.number in of_seed]
        if len(done) >= FEWEST and len(sweep.space) > 1:
            found[seed] = shares(done, [of_seed[trial.number] for trial in done], 0)
    return found


def shares(trials: Sequence[FrozenTrial], values: Sequence[float], seed: int) -> dict[str, float]:
    """Return the shares that a forest gives for these values; empty where all are equal."""
    if max(values) == min(values):
        return {}
    study = optuna.create_study()
    for trial, value in zip(trials, values, strict=True):
        study.add_trial(
            optuna.create_trial(params=trial.params, distributions=trial.distributions, value=value)
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = FanovaImportanceEvaluator(n_trees=TREES, seed=seed)
        return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
