"""One experiment outside any reproduction: trained, recorded and tracked like all others."""

from moebench import tracking
from moebench.cli.fit_options import FitOptions
from moebench.experiment import as_arguments, keys_help, naming_files, parse
from moebench.run.check import checked
from moebench.run.job import Job
from moebench.run.pool import sole_user
from moebench.run.tracked import run_tracked

TARGET, PROFILE = "fit", "single"


def fit(asked: FitOptions) -> int:
    """Run the experiment that is asked for, or print help on its keys; the weights are kept.

    Unless it has a name, the run is called after its files and the hash of its configuration, so
    the same command goes on with the same run and another configuration gets a folder of its own.
    """
    if asked.page is not None:
        print(keys_help(asked.page))
        return 0
    arguments = [*asked.arguments, *as_arguments(asked.settings)]
    with naming_files(arguments):
        experiment = checked(parse(arguments))
    seed = experiment.config["seed_everything"]
    tracker = tracking.connect(asked.root) if asked.track else None
    folder = asked.root / TARGET / PROFILE
    arm = asked.name or f"{asked.title}-{experiment.hash[:8]}"
    job = Job(TARGET, PROFILE, arm, seed, experiment, folder / arm / f"seed_{seed}", True)
    with sole_user(folder):
        if tracker is not None:
            tracker.open(folder, {"target": TARGET, "profile": PROFILE})
        [record] = run_tracked([job], 1, tracker)
        if tracker is not None:
            tracker.close({}, [])
    print(f"{job.folder}: {record.status}, valid/loss {record.metrics.get('valid/loss')}")
    return 0 if record.status == "finished" else 1
