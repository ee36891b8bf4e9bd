"""The results of a sweep as JSON: `sweep.json`, the source of its report and tables."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from moebench import report, tracking
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_all, write_whole
from moebench.statistics.estimates import mean
from moebench.sweeps.against_dense import against_dense
from moebench.sweeps.arms import Arm, DenseArm, TrialArm
from moebench.sweeps.baselines import best_arm, best_tuned, passed, winner
from moebench.sweeps.definition import LOSS, Sweep
from moebench.sweeps.entries import MATCHED
from moebench.sweeps.objective_values import value_of
from moebench.sweeps.parameter_importance import by_seed, importances
from moebench.sweeps.space import Point
from moebench.sweeps.strategies import SEES_NO_RESULTS
from moebench.sweeps.study import CACHED, STATUS, WHY, Study, records_in
from moebench.verdict.marks import leaks_of
from moebench.verdict.planned import off_plan

SUMMARY = "sweep.json"
FILES = ("results.jsonl", SUMMARY, "report.html", "plots")
ALWAYS = (LOSS, "seconds_per_step", "route/dropped")  # for the plots, besides the objectives


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
    compared = _judged(sweep, records, best) if best else []
    names = list(dict.fromkeys([*sweep.objectives, *sweep.constraints, *ALWAYS]))
    tuned = best_tuned(sweep, records)
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
        "fresh_seeds": sweep.fresh_seeds,
        "best": best.number if best else None,
        "trials": [_trial(trial, records, names) for trial in trials],
        "baselines": _levels(sweep, records, tuned, names),
        "fresh": _fresh(sweep, records, compared),
        "tuned": tuned,
        "importances": importances(trials, sweep),
        "importances_by_seed": by_seed(trials, _first_objective(sweep, trials, records), sweep),
        **_beside(sweep, records, compared),
    }


def _fresh(sweep: Sweep, records: Sequence[RunRecord], arms: Sequence[Arm]) -> list[dict[str, Any]]:
    """Return the arms with fresh seeds, and where they cost other than planned."""
    done = {arm.name: [r for r in _of(records, arm) if r.status == "finished"] for arm in arms}
    missed = off_plan(done)
    compared = ((arm, _compared(sweep, _of(records, arm), arm)) for arm in arms)
    return [{**row, "off_plan": missed[arm.name]} for arm, row in compared]


def _beside(sweep: Sweep, records: Sequence[RunRecord], arms: Sequence[Arm]) -> dict[str, Any]:
    """Return what the winner gains over dense models, what all runs took, and the overlaps."""
    return {
        "against": against_dense(sweep, records, arms),
        "runs": len(records),
        "seconds": sum(record.seconds for record in records),
        "overlaps": report.overlaps(records),
    }


def _judged(sweep: Sweep, records: Sequence[RunRecord], best: FrozenTrial) -> list[Arm]:
    """Return the arms with fresh seeds: the best trial, its own twins and those of the base.

    Twins of a trial that was best when there were fewer trials are left out.
    """
    later = dict.fromkeys(record.arm for record in records if record.seed in sweep.later_seeds)
    trial = TrialArm(best.number)
    dense: dict[str, Arm] = {
        arm.name: arm
        for matched, tuned, twin_of in product(MATCHED, (False, True), (None, best.number))
        for arm in [DenseArm(matched, tuned=tuned, twin_of=twin_of)]
    }
    return [trial] * (trial.name in later) + [dense[name] for name in later if name in dense]


def _levels(
    sweep: Sweep, records: Sequence[RunRecord], tuned: Mapping[str, Point], names: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Return the means of every baseline at its best tuning point, over the trials' seeds."""
    seen = [record for record in records if record.seed in sweep.trial_seeds]
    found = {}
    for matched in sweep.baselines:
        if own := _of(seen, best_arm(sweep, tuned, matched)):
            found[DenseArm(matched, tuned=matched in tuned).name] = _values(own, names)
    return found


def _choices(sweep: Sweep, arm: Arm) -> int:
    """Return the number of configurations that an arm was chosen from."""
    return sweep.trials if isinstance(arm, TrialArm) else 1 + len(sweep.tuning_points)


def _trial(
    trial: FrozenTrial, records: Sequence[RunRecord], names: Sequence[str]
) -> dict[str, Any]:
    """Return one trial: its point, how it ended, and its means over the seeds."""
    seeds = {record.seed for record in records_in(trial.user_attrs)}
    own = [r for r in _of(records, TrialArm(trial.number)) if r.seed in seeds]
    return {
        "number": trial.number,
        "point": dict(trial.params),
        "status": trial.user_attrs.get(STATUS, trial.state.name.lower()),
        "why": trial.user_attrs.get(WHY, ""),
        "cached_from": trial.user_attrs.get(CACHED),
        "values": _values([record for record in own if record.status == "finished"], names),
        "leaks": leaks_of(own),
        "infeasible": passed(trial),
    }


def _first_objective(
    sweep: Sweep, trials: Sequence[FrozenTrial], records: Sequence[RunRecord]
) -> dict[int, dict[int, float]]:
    """Return seed -> trial number -> the first objective of its finished run."""
    objective = next(iter(sweep.objectives))
    found: dict[int, dict[int, float]] = {seed: {} for seed in sweep.trial_seeds}
    complete = [trial.number for trial in trials if trial.state is TrialState.COMPLETE]
    for number in complete:
        for record in _of(records, TrialArm(number)):
            if record.status == "finished" and record.seed in found:
                found[record.seed][number] = value_of(record, objective)
    return found


def _of(records: Sequence[RunRecord], arm: Arm) -> list[RunRecord]:
    """Return the records of an arm."""
    return [record for record in records if record.arm == arm.name]


def _values(records: Sequence[RunRecord], names: Sequence[str]) -> dict[str, float]:
    """Return the means of the values that all of these records have."""
    found = {}
    finished = [record for record in records if record.status == "finished"]
    for name in names:
        try:
            values = [value_of(record, name) for record in finished]
        except ValueError:
            continue
        if values:
            found[name] = float(np.mean(values))
    return found


def _compared(sweep: Sweep, records: Sequence[RunRecord], arm: Arm) -> dict[str, Any]:
    """Return an arm's first objective in the sweep and with fresh seeds, the gap, and its costs."""
    objective = next(iter(sweep.objectives))
    done = [r for r in records if r.status == "finished"]
    chosen = _values([r for r in done if r.seed in sweep.trial_seeds], [objective])
    later = [r for r in done if r.seed in sweep.later_seeds]
    row: dict[str, Any] = {"arm": arm.name, "in_sweep": chosen.get(objective), "n": len(later)}
    row["chosen_from"] = _choices(sweep, arm)
    row["failed"] = len(records) - len(done)
    row["leaks"] = leaks_of(records)
    row["costs"] = {
        name: float(np.mean([getattr(record, name) for record in done]))
        for name in ("params_total", "params_active", "flops_per_token", "seconds_per_step")
        if done
    }
    values = np.array(list(_each(later, objective)), dtype=float)
    if len(values):
        interval = mean(values).interval
        ends = (interval.low, interval.high) if len(values) > 1 else (None, None)
        row |= {"mean": interval.estimate, "low": ends[0], "high": ends[1]}
        if row["in_sweep"] is not None:
            row["gap"] = interval.estimate - row["in_sweep"]
    return row


def _each(records: Sequence[RunRecord], name: str) -> list[float]:
    """Return the value of every record that has it."""
    return [value for record in records for value in _values([record], [name]).values()]


def tags(
    sweep: Sweep,
    trials: Sequence[FrozenTrial],
    best: FrozenTrial | None,
    records: Sequence[RunRecord],
) -> Mapping[str, Mapping[str, str]]:
    """Return arm -> tags for MLflow, besides those of the records.

    Every trial is compared with the first baseline at its best tuning point; with fresh seeds, that
    baseline was run with those as well as the trials' seeds.
    """
    found, dense = {}, {}
    tuned = best_tuned(sweep, records)
    for matched in sweep.baselines[:1]:
        again = matched in tuned and sweep.fresh_seeds > 0
        arm = DenseArm(matched, tuned=True) if again else best_arm(sweep, tuned, matched)
        dense = {tracking.DENSE_ARM: arm.name, tracking.MATCHED_ON: matched}
    for trial in trials:
        own = {"trial": str(trial.number), "trial.state": trial.state.name, **dense}
        if CACHED in trial.user_attrs:
            own["cached_from"] = TrialArm(trial.user_attrs[CACHED]).name
        # Set on the others as well: one of them may have been the best of fewer trials.
        own["best"] = str(best is not None and trial.number == best.number).lower()
        found[TrialArm(trial.number).name] = own
    return found


__all__ = ["FILES", "SUMMARY", "write_results"]
