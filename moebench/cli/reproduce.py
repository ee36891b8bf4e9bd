"""One reproduction, from plan to verdicts: train what is missing, judge, write, show."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from moebench import tracking
from moebench.cli.judging import judge_and_report
from moebench.cli.partners import partners
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_all
from moebench.evidence.result_files import RESULTS
from moebench.papers import Target
from moebench.papers.plan import Plan, Profile
from moebench.papers.registry import claims_on
from moebench.run.earlier_results import set_aside
from moebench.run.plan_jobs import computed_jobs, make_jobs, resolve
from moebench.run.pool import sole_user
from moebench.run.tracked import run_tracked
from moebench.verdict import Verdict

MOST_SEEDS = 1000


@dataclass(frozen=True)
class ReproduceOptions:
    """What a person may choose about a reproduction."""

    profile: str = "quick"
    seeds: int | None = None  # None: as many as the profile says
    workers: int = 1
    root: Path = Path("runs")
    settings: Mapping[str, object] = field(default_factory=dict)  # laid over every arm
    track: bool = True

    def __post_init__(self) -> None:
        if self.seeds is not None and not 1 <= self.seeds <= MOST_SEEDS:
            raise ValueError(f"seeds={self.seeds}: must be at least 1 and at most {MOST_SEEDS}")
        if self.workers < 1:
            raise ValueError(f"workers={self.workers}: must be at least 1")


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
    seeds, settings = wanted(target.plan, options)
    experiments, planned = resolve(target, profile, settings)
    tracker = tracking.connect(options.root) if options.track else None
    folder = options.root / target.folder / profile.name
    with sole_user(folder):
        jobs = make_jobs(target, profile, experiments, seeds, folder)
        jobs = [replace(job, planned=planned.get(job.arm, {})) for job in jobs]
        jobs += computed_jobs(target, profile, folder)
        if tracker is not None:
            tracker.open(folder, {"target": target.folder, "profile": profile.name})
        records = run_tracked(jobs, options.workers, tracker)
        records += searched(target, profile, options)
        if aside := set_aside(folder, records):
            print(f"results of other runs: kept in {aside}")
        write_all(records, folder / "results.jsonl")
        verdicts = judge_and_report(target, profile, folder)
        if tracker is not None:
            tracker.close(partners(target), [folder / name for name in RESULTS])
    return verdicts


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
        over = {**profile.settings, **options.settings}
        read_file = sweeps.read_sweep(target.configs / target.plan.sweeps[name], study, over)
        chosen = sweeps.SearchOptions(
            workers=options.workers, root=options.root, track=options.track, beside=True
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
