"""One experiment outside any reproduction: trained, recorded and tracked like all others."""

from pathlib import Path

from moebench import tracking
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read_one
from moebench.experiment import Experiment, parse
from moebench.run.check import checked
from moebench.run.job import Job
from moebench.run.pool import sole_user
from moebench.run.tracked import run_tracked

TARGET, PROFILE = "fit", "single"


def fit(arguments: list[str], root: Path = Path("runs")) -> int:
    """Run the experiment that LightningCLI arguments describe; return the exit status.

    Its folder is named after the hash of the configuration, so the same command goes on with the
    same run and another configuration gets a folder of its own.
    """
    experiment = checked(parse(arguments))
    folder, record = trained(experiment, experiment.hash, root)
    print(f"{folder}: {record.status}, valid/loss {record.metrics.get('valid/loss')}")
    return 0 if record.status == "finished" else 1


def trained(
    experiment: Experiment, arm: str, root: Path, track: bool = True
) -> tuple[Path, RunRecord]:
    """Run an experiment under a name of its own; return its folder, which has weights, and record.

    A run that is there already is not made again.
    """
    seed = experiment.config["seed_everything"]
    tracker = tracking.connect(root) if track else None
    folder = root / TARGET / PROFILE
    job = Job(TARGET, PROFILE, arm, seed, experiment, folder / arm / f"seed_{seed}", True)
    with sole_user(folder):
        if tracker is not None:
            tracker.open(folder, {"target": TARGET, "profile": PROFILE})
        run_tracked([job], 1, tracker)
        if tracker is not None:
            tracker.close({}, [])
    return job.folder, read_one(job.record_path)
