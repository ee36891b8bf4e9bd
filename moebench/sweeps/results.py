"""The results of a sweep as JSON: `sweep.json`, the source of its report and tables."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import product
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from moebench import report, tracking
from moebench.comparison import Pair, Side
from moebench.comparison.measures import mean_values
from moebench.evidence.record import SWEEPS, RunRecord
from moebench.evidence.record_files import write_all, write_whole
from moebench.statistics import Interval
from moebench.statistics.estimates import mean
from moebench.sweeps.arms import Arm, DenseArm, TrialArm
from moebench.sweeps.best import best_dense, passed, winner
from moebench.sweeps.definition import LOSS, MATCHED, Sweep
from moebench.sweeps.mlflow_tags import tags
from moebench.sweeps.parameter_importance import by_seed, importances
from moebench.sweeps.strategies import SEES_NO_RESULTS
from moebench.sweeps.study import CACHED, STATUS, WHY, Study, records_in
from moebench.verdict.marks import leaks_of
from moebench.verdict.planned import off_plan

SUMMARY = "sweep.json"
FILES = ("results.jsonl", SUMMARY, "report.html", "plots")
ALWAYS = (LOSS, "seconds_per_step", "route/dropped")  # for the plots, besides the objectives

Runs = Mapping[str, Sequence[RunRecord]]  # of each arm


def write_results(study: Study) -> None:
    """Write `results.jsonl`, `sweep.json`, `tags.json` and `report.html` of a finished study."""
    sweep, folder = study.sweep, study.folder
    trials = study.trials()
    records = study.records()
    write_all(records, folder / "results.jsonl")
    best = winner([trial for trial in trials if trial.state is TrialState.COMPLETE], sweep)
    content = summary(sweep, trials, best, records)
    write_whole(folder / SUMMARY, json.dumps(content, indent=1) + "\n")
    write_whole(folder / tracking.TAGS, json.dumps(tags(sweep, trials, best, records)) + "\n")
    report.write_sweep(folder)


def summary(
    sweep: Sweep,
    trials: Sequence[FrozenTrial],
    best: FrozenTrial | None,
    records: Sequence[RunRecord],
) -> dict[str, Any]:
    """Return all results of a sweep."""
    runs: dict[str, list[RunRecord]] = defaultdict(list)
    for record in records:
        runs[record.arm].append(record)
    own = {trial.number: records_in(trial.user_attrs) for trial in trials}
    names = list(dict.fromkeys([*sweep.objectives, *sweep.constraints, *ALWAYS]))
    dense = best_dense(sweep, records)
    compared = _compared(sweep, records, best) if best else []
    missed = off_plan({arm.name: _finished(runs[arm.name]) for arm in compared})
    return {
        **_asked(sweep),
        "best": best.number if best else None,
        "trials": [_trial(trial, own[trial.number], names) for trial in trials],
        "baselines": {
            arm.again.name: _means(seen, names)
            for arm in dense.values()
            if (seen := _of(runs[arm.name], sweep.trial_seeds))
        },
        "fresh": [
            {**_row(sweep, arm, runs[arm.name]), "off_plan": missed[arm.name]} for arm in compared
        ],
        "tuned": {
            matched: sweep.tuning_points[arm.point]
            for matched, arm in dense.items()
            if arm.point is not None
        },
        "importances": importances(trials, sweep),
        "importances_by_seed": by_seed(trials, own, sweep),
        "against": _against(sweep, compared, runs),
        "runs": len(records),
        "seconds": sum(record.seconds for record in records),
        "overlaps": report.overlaps(records),
    }


def _asked(sweep: Sweep) -> dict[str, Any]:
    """Return what was searched, and how."""
    return {
        "name": sweep.name,
        "objectives": dict(sweep.objectives),
        "constraints": dict(sweep.constraints),
        "sampler": sweep.sampler.class_name,
        "pruner": sweep.pruner.class_name,
        "surface": list(sweep.surface),
        "publishable": sweep.sampler.class_name in ("GridSampler", "QMCSampler"),
        "sees_no_results": sweep.sampler.class_name in SEES_NO_RESULTS,
        "space": {
            dimension.name: {
                "key": ", ".join(dimension.keys),
                "values": list(dimension.values),
                "log": dimension.log,
            }
            for dimension in sweep.space
        },
        "seeds": sweep.seeds,
        "first_seed": sweep.first_seed,
        "fresh_seeds": sweep.fresh_seeds,
    }


def _trial(
    trial: FrozenTrial, records: Sequence[RunRecord], names: Sequence[str]
) -> dict[str, Any]:
    """Return one trial: its point, how it ended, and its means over the seeds."""
    return {
        "number": trial.number,
        "point": dict(trial.params),
        "status": trial.user_attrs.get(STATUS, trial.state.name.lower()),
        "why": trial.user_attrs.get(WHY, ""),
        "cached_from": trial.user_attrs.get(CACHED),
        "values": _means(records, names),
        "leaks": leaks_of(records),
        "infeasible": passed(trial),
    }


def _compared(sweep: Sweep, records: Sequence[RunRecord], best: FrozenTrial) -> list[Arm]:
    """Return the arms with fresh seeds: the best trial, then its own twins and those of the base.

    Twins of a trial that was best when there were fewer trials are left out.
    """
    later = {record.arm for record in records if record.seed in sweep.later_seeds}
    dense = product(MATCHED, (None,), (False, True), (None, best.number))
    arms: list[Arm] = [TrialArm(best.number), *(DenseArm(*one) for one in dense)]
    return [arm for arm in arms if arm.name in later]


def _row(sweep: Sweep, arm: Arm, records: Sequence[RunRecord]) -> dict[str, Any]:
    """Return an arm's first objective in the sweep and with fresh seeds, the gap, and its costs."""
    side = _side(sweep, arm, records)
    chosen = _means(_of(records, sweep.trial_seeds), [side.metric]).get(side.metric)
    later = _of(_finished(records), sweep.later_seeds)
    values = [value for one in later for value in _means([one], [side.metric]).values()]
    row = {
        "arm": arm.name,
        "in_sweep": chosen,
        "n": len(later),
        "chosen_from": sweep.trials if isinstance(arm, TrialArm) else 1 + len(sweep.tuning_points),
        "failed": len(records) - len(side.runs),
        "leaks": leaks_of(records),
        "costs": side.costs if side.runs else {},
    }
    if values:
        found = mean(np.array(values)).interval
        row |= dict(zip(("mean", "low", "high"), _plain(found), strict=False))
        row |= {} if chosen is None else {"gap": found.estimate - chosen}
    return row


def _against(sweep: Sweep, arms: Sequence[Arm], runs: Runs) -> list[dict[str, Any]]:
    """Return what the winner gains over each dense baseline, paired by fresh seeds.

    Args:
        sweep: the sweep.
        arms: the winner, then the baselines, if they have fresh seeds.
        runs: of the arms.
    """
    if not arms or not isinstance(arms[0], TrialArm):
        return []
    winning, *dense = (_side(sweep, arm, _of(runs[arm.name], sweep.later_seeds)) for arm in arms)
    pairs = [Pair(SWEEPS, sweep.name, winning, other) for other in dense]
    return [
        {
            "dense": pair.dense.arm,
            "difference": _plain(pair.difference),
            "at_equal_time": _plain(pair.difference_at_equal_time),
            "ratios": pair.ratios,
        }
        for pair in pairs
        if pair.seeds
    ]


def _side(sweep: Sweep, arm: Arm, records: Sequence[RunRecord]) -> Side:
    """Return an arm with those of its runs that finished."""
    runs = {record.seed: record for record in _finished(records)}
    return Side(arm.name, next(iter(sweep.objectives)), runs, {})


def _plain(found: Interval) -> list[float | None]:
    """Return estimate, low, high and n; None for unknown values."""
    ends = (found.low, found.high) if found.n > 1 else (None, None)
    return [found.estimate if found.n else None, *ends, found.n]


def _finished(records: Sequence[RunRecord]) -> list[RunRecord]:
    return [record for record in records if record.status == "finished"]


def _of(records: Sequence[RunRecord], seeds: Sequence[int]) -> list[RunRecord]:
    return [record for record in records if record.seed in seeds]


def _means(records: Sequence[RunRecord], names: Sequence[str]) -> dict[str, float]:
    """Return the means of the values that all of the finished runs have."""
    found = {}
    finished = _finished(records)
    for name in names if finished else ():
        with suppress(ValueError):
            [found[name]] = mean_values(finished, [name])
    return found
