"""One reproduction, from plan to verdicts: train what is missing, judge, write, show."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from moebench import tracking
from moebench.cli.judging import judge_and_report
from moebench.cli.partners import partners
from moebench.cli.provenance import configs_of
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, write_all
from moebench.evidence.result_files import RESULTS
from moebench.experiment import fitting, takes_text
from moebench.experiment.text_source import TEXT
from moebench.papers import Target
from moebench.papers.plan import Plan, Profile
from moebench.papers.registry import claims_on
from moebench.run.earlier_results import set_aside
from moebench.run.execution import Execution
from moebench.run.plan_jobs import computed_jobs, make_jobs, resolve
from moebench.run.sole_user import sole_user
from moebench.run.take_over import take_over
from moebench.run.tracked import run_tracked
from moebench.verdict import Verdict

MOST_SEEDS = 1000


@dataclass(frozen=True)
class ReproduceOptions:
    """What a person may choose about a reproduction."""

    profile: str = "quick"
    seeds: int | None = None  # None: as many as the profile says
    root: Path = Path("runs")
    settings: Mapping[str, object] = field(default_factory=dict)  # laid over every arm
    track: bool = True
    execution: Execution = field(default_factory=Execution)
    records: Path | None = None  # a file of runs that need not be made again

    def __post_init__(self) -> None:
        if self.seeds is not None and not 1 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"seeds={self.seeds}: must be at least 1 and at most {MOST_SEEDS}")


def reproduce(target: Target, options: ReproduceOptions) -> list[Verdict]:
    """Make every run of the profile that is not there yet and judge the claims.

    Writes `results.jsonl`, `verdicts.json` and `report.html` into
    `<root>/<target folder>/<profile>/`. Whatever can be refused is refused before that.

    Raises:
        ValueError: for an unknown profile, a bad configuration, or a folder in use.
        ConnectionError: if MLflow is wanted and cannot be reached.
    """
    profile = target.plan.profile(options.profile)
    refuse_without_gpu(profile, options.settings)
    refuse_text(target, profile, options.settings)
    seeds, settings = wanted(target.plan, options)
    made = records_to_take(target, options.records)
    experiments, planned = resolve(target, profile, settings)
    tracker = tracking.connect(options.root) if options.track else None
    folder = options.root / target.folder / profile.name
    with sole_user(folder):
        jobs = make_jobs(target, profile, experiments, seeds, folder)
        jobs = [replace(job, planned=planned.get(job.arm, {})) for job in jobs]
        if made:
            told = [f"{count} {what}" for what, count in take_over(jobs, made).most_common()]
            print(f"{options.records}: {', '.join(told)}")
        jobs += computed_jobs(target, profile, folder)
        if tracker is not None:
            tracker.open(folder, {"target": target.folder, "profile": profile.name})
        records = run_tracked(jobs, options.execution, tracker)
        records += searched(target, profile, options)
        if aside := set_aside(folder, records):
            print(f"results of other runs: kept in {aside}")
        write_all(records, folder / "results.jsonl")
        verdicts = judge_and_report(target, profile, folder)
        if tracker is not None:
            tracker.close(partners(target), [folder / name for name in RESULTS])
    return verdicts


def records_to_take(target: Target, path: Path | None) -> list[RunRecord]:
    """Return the records of a file; none without one.

    Raises:
        ValueError: if it has none of the target, or runs of the target train several seeds each.
    """
    if path is None:
        return []
    if target.plan.seeds_in_a_run is not None:
        raise ValueError(f"records={path}: a run of {target.name} trains several seeds at once")
    own = [record for record in read(path) if record.target == target.folder]
    if not own:
        raise ValueError(f"records={path}: has no run of {target.name}")
    return own


def refuse_without_gpu(profile: Profile, settings: Mapping[str, object]) -> None:
    """Refuse a profile that is made for a GPU where there is none, unless a person insists.

    Raises:
        ValueError: if there is none.
    """
    asked = settings.get("trainer.accelerator") == "cpu"
    if profile.on_gpu and not asked and not torch.cuda.is_available():
        raise ValueError(
            f"profile={profile.name}: is made for a GPU, and torch sees none here; it would take "
            "days. `--device cpu` runs it all the same"
        )


def refuse_text(target: Target, profile: Profile, settings: Mapping[str, object]) -> None:
    """Refuse a text of a person's own where nothing trains on one.

    Raises:
        ValueError: if one is given.
    """
    if TEXT in settings and not trains_on_text(target, profile):
        raise ValueError(f"target={target.name}: trains on no text, so --data does not apply")


def trains_on_text(target: Target, profile: Profile) -> bool:
    """Say whether any run of a profile trains on a text, which a person may replace."""
    return any(takes_text(configs_of(target, arm)) for arm in [*profile.arms, *profile.sweeps])


def searched(target: Target, profile: Profile, options: ReproduceOptions) -> list[RunRecord]:
    """Finish the sweeps of a profile; return what their trials and they themselves have to say.

    Each is a study under `<root>/sweeps/`, named after target, profile and sweep; after its data as
    well, where there is one of other data or settings.
    """
    if not profile.sweeps:
        return []
    from moebench import sweeps  # needs Optuna, which other reproductions do without

    found: list[RunRecord] = []
    for name, changes in profile.sweeps.items():
        study = f"{target.folder}_{profile.name}_{name}"
        own = fitting(configs_of(target, name), options.settings)
        over = {**profile.settings, **own}
        read_file = sweeps.read_sweep(target.configs / target.plan.sweeps[name], study, over)
        chosen = sweeps.SearchOptions(
            root=options.root,
            track=options.track,
            beside=True,
            execution=options.execution,
        )
        claims = claims_on(target, name)
        folder = sweeps.search(replace(read_file, claims=claims, **changes), chosen)
        found += sweeps.evidence(folder, name, target.folder, profile.name)
    return found


def wanted(plan: Plan, options: ReproduceOptions) -> tuple[int | None, Mapping[str, object]]:
    """Return how many runs an arm has, None for the profile's number, and a person's settings."""
    if options.seeds is None or plan.seeds_in_a_run is None:
        return options.seeds, options.settings
    return None, {**options.settings, **plan.seeds_in_a_run(options.seeds)}
