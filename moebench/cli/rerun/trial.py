"""The trial of a sweep, found by the name that claims use for its point."""

from dataclasses import replace

from moebench.cli.rerun.former import but_for, hashes_of
from moebench.evidence.record import RunRecord
from moebench.experiment import Experiment
from moebench.experiment.precision import FULL, HALF
from moebench.papers import Target
from moebench.papers.plan import Profile
from moebench.papers.settings import FASTER, PRECISION
from moebench.sweeps import read_sweep
from moebench.sweeps.points import arm_of
from moebench.sweeps.strategies import SEES_NO_RESULTS


def of_trial(found: Target, profile: Profile, record: RunRecord) -> tuple[Experiment, str]:
    """Return the experiment of a trial whose record lacks its configuration, and how it was found.

    Raises:
        ValueError: if the sampler looked at results, so that nobody knows the point any more, or
            if the sweep of today has no such point.
    """
    name = record.arm.partition("/")[0]
    changes = profile.sweeps.get(name, {})
    first: list[Experiment] = []
    machines = profile.settings.get(PRECISION) == FASTER  # one chose the precision, maybe another
    for over in [{}, {PRECISION: HALF}, {PRECISION: FULL}] if machines else [{}]:
        settings = {**profile.settings, **over}
        read = read_sweep(found.configs / found.plan.sweeps[name], over=settings)
        sweep = replace(read, **changes)
        if sweep.sampler.class_name not in SEES_NO_RESULTS:
            raise ValueError(
                f"arm={record.arm}: {sweep.sampler.class_name} chose its point by the results of"
                " others, and its record does not say its configuration"
            )
        points = map(dict, sweep.known_points)
        made = [sweep.at(point) for point in points if arm_of(name, point) == record.arm]
        for one in made:
            known = hashes_of(one, found.plan.moved)
            if record.config_hash in known:
                same = "a trial, whose configuration is the recorded one"
                return one, same + but_for(known[record.config_hash])
        first = first or made
    if not first:
        raise ValueError(f"arm={record.arm}: the sweep {name} has no such point any more")
    return first[0], (
        "the trial of that point, whose configuration does not have the recorded hash"
        f" (`git checkout {record.commit.rstrip('+')}` has the sweep of then)"
    )
