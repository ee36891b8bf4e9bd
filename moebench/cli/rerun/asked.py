"""What a record was a run of: the experiment or the function that makes it again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from moebench.cli.rerun.former import but_for, hashes_of, with_losses
from moebench.evidence.record import RunRecord
from moebench.experiment import ConfigurationError, Experiment
from moebench.experiment.dense_twin import STEP, dense, twin
from moebench.experiment.precision import FULL, HALF
from moebench.papers import Target
from moebench.papers.computed import import_function
from moebench.papers.nearest import nearest
from moebench.papers.plan import Arm, Profile
from moebench.papers.settings import FASTER, PRECISION
from moebench.run.check import checked
from moebench.run.function import Function
from moebench.run.plan_jobs import load_arm

WIDEST = 8192  # of the twins that are looked through for a recorded one


class Asked(NamedTuple):
    """A run to be made again."""

    experiment: Experiment | Function
    seed: int  # of the run, which may train several seeds side by side
    how: str  # where the experiment comes from


def asked_for(found: Target, record: RunRecord) -> Asked:
    """Return the run of a record: of its own configuration, or else of what the plan asks for.

    Raises:
        ValueError: if the record does not say its configuration and the plan does not know it, or
            if the configuration is none for the code of today.
    """
    plan, name = found.plan, record.arm
    if name in plan.computed:
        return _computed(record, plan.computed[name])
    if record.config:
        return _recorded(record)
    profile = plan.profile(record.profile)
    seed = record.seed if plan.seeds_in_a_run is None else profile.first_seed
    arms = {arm.name: arm for arm in plan.arms}
    if name in arms:
        experiment, how = _of_plan(found, profile, arms[name], record)
        return Asked(experiment.with_seed(seed), seed, how)
    sweep, _, point = name.partition("/")
    if sweep in plan.sweeps and point:
        from moebench.cli.rerun.trial import of_trial  # needs Optuna, which other runs do without

        experiment, how = of_trial(found, profile, record)
        return Asked(checked(experiment).with_seed(seed), seed, how)
    if sweep in plan.sweeps:
        raise ValueError(
            f"arm={name}: is computed from all trials of the sweep; make one of them again, such as"
            f" {sweep}/<point>"
        )
    known = nearest(name, [*arms, *plan.computed])
    raise ValueError(
        f"arm={name}: the plan has none of that name any more, and its record does not say its"
        f" configuration; {known}"
    )


def _recorded(record: RunRecord) -> Asked:
    """Return the run of the configuration that a record has."""
    if "function" in record.config:
        return _computed(record, str(record.config["function"]))
    experiment = Experiment(record.config)
    try:
        ready = checked(experiment)
    except ConfigurationError as error:
        raise ValueError(
            f"arm={record.arm}: its recorded configuration is none for the code of today: {error};"
            f" `git checkout {record.commit.rstrip('+')}` has that of then"
        ) from error
    return Asked(ready, int(record.config["seed_everything"]), "its recorded configuration")


def _computed(record: RunRecord, reference: str) -> Asked:
    """Return the run of a function."""
    try:
        import_function(reference)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"arm={record.arm}: is computed by {reference}, which is not there: {error};"
            f" `git checkout {record.commit.rstrip('+')}` has that of then"
        ) from error
    return Asked(Function(reference), 0, f"computed by {reference}")


def _of_plan(
    found: Target, profile: Profile, arm: Arm, record: RunRecord
) -> tuple[Experiment, str]:
    """Return the experiment of an arm, and how it was come by.

    The precision may have been chosen on another machine and the width of a twin by another clock,
    so those are taken that give the hash of the recorded configuration, if any do.
    """
    base = found.plan.arm(arm.twin_of) if arm.twin_of else arm
    today = load_arm(found, base, profile, {})
    wanted, moved = record.config_hash, found.plan.moved
    for one in _choices(found, profile, base, today):
        known = hashes_of(one, moved)
        if not arm.twin_of and wanted in known:
            same = "the plan, whose configuration is the recorded one"
            return checked(one), same + but_for(known[wanted])
        if arm.twin_of and (twin_then := _twin_then(one, wanted, moved)):
            return _solved(checked(one), arm, *twin_then)
    ready = checked(today)
    experiment = twin(ready, arm.matched_on).experiment if arm.twin_of else ready
    return experiment, (
        "the plan of today, whose configuration does not have the recorded hash"
        f" (`git checkout {record.commit.rstrip('+')}` has the plan of then)"
    )


def _choices(found: Target, profile: Profile, arm: Arm, today: Experiment) -> Iterator[Experiment]:
    """Yield the experiment of an arm as this machine would have it, and in another precision."""
    yield today
    settings = {**profile.settings, **arm.settings, **profile.arm_settings.get(arm.name, {})}
    if settings.get(PRECISION) == FASTER:
        [other] = {HALF, FULL} - {today.config["trainer"]["precision"]}
        yield load_arm(found, arm, profile, {PRECISION: other})


def _twin_then(
    base: Experiment, wanted: str, moved: Mapping[str, str]
) -> tuple[int, Sequence[str]] | None:
    """Return the width of the dense twin of that hash, and keys it was made without; or None."""
    for width in range(STEP, WIDEST + 1, STEP):
        for one in (dense(base, width), with_losses(dense(base, width), base)):
            known = hashes_of(one, moved)
            if wanted in known:
                return width, known[wanted]
    return None


def _solved(
    base: Experiment, arm: Arm, width: int, lacking: Sequence[str]
) -> tuple[Experiment, str]:
    """Return a twin of the recorded width, and what solving for it anew comes to."""
    experiment = dense(base, width)
    how = f"the dense twin of {arm.twin_of}, of the recorded width {width}{but_for(lacking)}"
    if arm.matched_on == "step_time":
        return experiment, f"{how}, which a clock decided"
    return experiment, f"{how}; solved for again: {twin(base, arm.matched_on).width}"
