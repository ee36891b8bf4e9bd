"""From the plan of a paper to the runs it asks for: experiments of arms, and jobs to be made."""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tqdm import tqdm

from moebench.experiment import Experiment, fitting, load, naming_configs
from moebench.experiment.dense_twin import twin
from moebench.papers import Target
from moebench.papers.plan import Arm, Profile
from moebench.papers.registry import claims_on
from moebench.run.check import checked
from moebench.run.function import Function
from moebench.run.job import Job


def resolve(
    target: Target, profile: Profile, settings: Mapping[str, object]
) -> tuple[dict[str, Experiment], dict[str, dict[str, float]]]:
    """Return the checked experiment of every arm, its data prepared, dense twins solved for.

    Beside them the costs that twins and their mixtures are to have in common, by the arm.
    """
    prepared: dict[str, Experiment] = {}
    experiments: dict[str, Experiment] = {}
    planned: dict[str, dict[str, float]] = defaultdict(dict)
    arms = [target.plan.arm(name) for name in profile.arms]
    for arm in tqdm(arms, desc="checking the arms", unit="arm", disable=None, leave=False):
        base = target.plan.arm(arm.twin_of) if arm.twin_of else arm
        if base.name not in prepared:
            with naming_configs(*_given(target, base, profile, settings)):
                prepared[base.name] = checked(load_arm(target, base, profile, settings))
        experiments[arm.name] = prepared[base.name]
        if arm.twin_of:
            made = twin(prepared[base.name], arm.matched_on)
            experiments[arm.name] = made.experiment
            planned[arm.name] |= made.planned
            planned[base.name] |= made.planned
    return experiments, planned


def load_arm(
    target: Target, arm: Arm, profile: Profile, settings: Mapping[str, object]
) -> Experiment:
    """Lay over the files of the arm the profile's settings, the arm's and the person's."""
    return load(*_given(target, arm, profile, settings))


def _given(
    target: Target, arm: Arm, profile: Profile, settings: Mapping[str, object]
) -> tuple[list[Path], dict[str, object]]:
    """Return the files of an arm, and the settings laid over them.

    A text of a person's own is for the arms that train on one.
    """
    files = [target.configs / name for name in arm.configs]
    own = {**arm.settings, **profile.arm_settings.get(arm.name, {})}
    return files, {**profile.settings, **own, **fitting(files, settings)}


def make_jobs(
    target: Target,
    profile: Profile,
    experiments: Mapping[str, Experiment],
    seeds: int | None,
    folder: Path,
) -> list[Job]:
    """Return the runs of a profile: all arms with the first seed, then with the next one."""
    most = {arm: profile.seeds_of(arm) if seeds is None else seeds for arm in experiments}
    return [
        Job(
            target=target.folder,
            profile=profile.name,
            arm=arm,
            seed=seed,
            experiment=experiment.with_seed(seed),
            folder=folder / arm / f"seed_{seed}",
            claims=claims_on(target, arm),
        )
        for number in range(max(most.values(), default=0))
        for arm, experiment in experiments.items()
        if number < most[arm]
        for seed in [profile.first_seed + number]
    ]


def computed_jobs(target: Target, profile: Profile, folder: Path) -> list[Job]:
    """Return the calls of the functions of a profile."""
    wanted = target.plan.computed if profile.computed is None else profile.computed
    return [
        Job(
            target=target.folder,
            profile=profile.name,
            arm=arm,
            seed=0,
            experiment=Function(target.plan.computed[arm]),
            folder=folder / arm / "seed_0",
            claims=claims_on(target, arm),
        )
        for arm in wanted
    ]
