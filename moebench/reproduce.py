"""One reproduction, from plan to verdicts: train what is missing, judge, write, show."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moebench import report, tracking
from moebench.baselines import twin
from moebench.cost import count_batch
from moebench.experiment import Experiment, load
from moebench.plan import Arm, Profile
from moebench.records import RunRecord, read, write_all, write_whole
from moebench.run.job import Job
from moebench.run.pool import run_all, sole_user
from moebench.run.progress import Progress
from moebench.run.worker import computed_record
from moebench.targets import Target
from moebench.verdict import Verdict, judge


@dataclass(frozen=True)
class Options:
    """What a person may choose about a reproduction."""

    profile: str = "quick"
    seeds: int | None = None  # None: as many as the profile says
    workers: int = 1
    root: Path = Path("runs")
    settings: Mapping[str, object] = field(default_factory=dict)  # laid over every arm
    track: bool = True

    def __post_init__(self) -> None:
        if self.seeds is not None and self.seeds < 1:
            raise ValueError(f"seeds={self.seeds}: must be at least 1")
        if self.workers < 1:
            raise ValueError(f"workers={self.workers}: must be at least 1")


def reproduce(target: Target, options: Options) -> list[Verdict]:
    """Make every run of the profile that is not there yet and judge the claims.

    Writes `results.jsonl`, `verdicts.json` and `report.html` into
    `<root>/<target folder>/<profile>/`. Whatever can be refused is refused before that.

    Raises:
        ValueError: for an unknown profile, a bad configuration, or a folder in use.
        ConnectionError: if MLflow is wanted and cannot be reached.
    """
    profile = target.plan.profile(options.profile)
    experiments = resolve(target, profile, options.settings)
    tracker = tracking.connect(options.root) if options.track else None
    folder = options.root / target.folder / profile.name
    with sole_user(folder):
        jobs = make_jobs(target, profile, experiments, options.seeds, folder)
        records = run_jobs(jobs, options.workers, tracker)
        records += [
            computed_record(target.folder, profile.name, arm, reference)
            for arm, reference in target.plan.computed.items()
        ]
        write_all(records, folder / "results.jsonl")
        return conclude(target, profile, folder)


def resolve(
    target: Target, profile: Profile, settings: Mapping[str, object]
) -> dict[str, Experiment]:
    """Return the checked experiment of every arm, its data prepared, dense twins solved for."""
    prepared: dict[str, Experiment] = {}
    experiments: dict[str, Experiment] = {}
    for arm in map(target.plan.arm, profile.arms):
        base = target.plan.arm(arm.twin_of) if arm.twin_of else arm
        if base.name not in prepared:
            prepared[base.name] = checked(_load(target, base, profile, settings))
        experiment = prepared[base.name]
        experiments[arm.name] = twin(experiment, arm.matched_on) if arm.twin_of else experiment
    return experiments


def _load(
    target: Target, arm: Arm, profile: Profile, settings: Mapping[str, object]
) -> Experiment:
    """Lay the files of the arm, the profile's settings, the arm's and the person's on each other."""
    files = [target.configs / name for name in arm.configs]
    return load(files, {**profile.settings, **arm.settings, **settings})


def checked(experiment: Experiment) -> Experiment:
    """Prepare the data and run one batch, so that what cannot work is refused here and now."""
    model, data, _ = experiment.build(logger=False)
    data.prepare_data()
    data.setup("fit")
    count_batch(model.train().network, next(iter(data.val_dataloader())))
    return experiment


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
        )
        for seed in range(max(most.values()))
        for arm, experiment in experiments.items()
        if seed < most[arm]
    ]


def run_jobs(
    jobs: Sequence[Job], workers: int, tracker: tracking.Tracker | None
) -> list[RunRecord]:
    """Make the runs under progress bars; what they write goes to MLflow as they write it."""
    with Progress(jobs, workers) as bars:

        def watch(running: Sequence[Job], records: Sequence[RunRecord]) -> None:
            bars(running, records)
            if tracker is not None:
                tracker.poll()

        return run_all(jobs, workers, watch)


def conclude(target: Target, profile: Profile, folder: Path) -> list[Verdict]:
    """Judge the claims by the records in a folder; write `verdicts.json` and `report.html`.

    Raises:
        FileNotFoundError: if there are no records.
    """
    path = folder / "results.jsonl"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no records; `make reproduce-{target.name}` makes them")
    verdicts = judge(target.claims, read(path), profile.name)
    lines = [verdict.to_json() for verdict in verdicts]
    write_whole(folder / "verdicts.json", json.dumps(lines, indent=1) + "\n")
    report.write(folder, target.paper, target.claims, verdicts, target.plan.groups)
    return verdicts
