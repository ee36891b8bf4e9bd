"""One experiment outside any reproduction: trained, recorded and tracked like all others."""

from pathlib import Path

from moebench import tracking
from moebench.experiment import parse
from moebench.run.check import checked
from moebench.run.job import Job
from moebench.run.pool import sole_user
from moebench.run.tracked import run_tracked

TARGET, PROFILE = "fit", "single"


def fit(arguments: list[str], root: Path = Path("runs")) -> int:
    """Run the experiment that LightningCLI arguments describe; the weights are kept.

    The folder is named after the hash of the configuration, so the same command goes on with the
    same run and another configuration gets a folder of its own.
    """
    experiment = checked(parse(arguments))
    seed = experiment.config["seed_everything"]
    tracker = tracking.connect(root)
    folder = root / TARGET / PROFILE
    arm = experiment.hash
    job = Job(TARGET, PROFILE, arm, seed, experiment, folder / arm / f"seed_{seed}", True)
    with sole_user(folder):
        tracker.open(folder, {"target": TARGET, "profile": PROFILE})
        [record] = run_tracked([job], 1, tracker)
        tracker.close({}, [])
    print(f"{job.folder}: {record.status}, valid/loss {record.metrics.get('valid/loss')}")
    return 0 if record.status == "finished" else 1
