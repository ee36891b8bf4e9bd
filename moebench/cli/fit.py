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
    """Run the experiment that LightningCLI arguments describe; return the exit status."""
    folder, record = trained(checked(parse(arguments)), root)
    print(f"{folder}: {record.status}, valid/loss {record.metrics.get('valid/loss')}")
    return 0 if record.status == "finished" else 1


def trained(experiment: Experiment, root: Path, track: bool = True) -> tuple[Path, RunRecord]:
    """Run an experiment; return the folder, where its weights are kept, and the record.

    The folder is named after the hash of the configuration, so the same experiment goes on with the
    same run and another one gets a folder of its own.
    """
    seed = experiment.config["seed_everything"]
    tracker = tracking.connect(root) if track else None
    folder = root / TARGET / PROFILE
    arm = experiment.hash
    job = Job(TARGET, PROFILE, arm, seed, experiment, folder / arm / f"seed_{seed}", True)
    with sole_user(folder):
        if tracker is not None:
            tracker.open(folder, {"target": TARGET, "profile": PROFILE})
        run_tracked([job], 1, tracker)
        if tracker is not None:
            tracker.close({}, [])
    return job.folder, read_one(job.record_path)
