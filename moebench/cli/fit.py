"""One experiment outside any reproduction: trained, recorded and tracked like all others.

Experiments are independent: each locks its own run, so that several are trained side by side.
"""

from pathlib import Path

from moebench import tracking
from moebench.cli.fit_options import FitOptions
from moebench.evidence.record import FIT, RunRecord
from moebench.evidence.record_files import beside, read_one
from moebench.experiment import Experiment, as_arguments, naming_files, parse
from moebench.run.check import checked
from moebench.run.execution import Execution
from moebench.run.job import Job
from moebench.run.sole_user import sole_user
from moebench.run.tracked import run_tracked

PROFILE = "single"


def fit(asked: FitOptions) -> int:
    """Run the experiment that is asked for; return the exit status."""
    arguments = [*asked.arguments, *as_arguments(asked.settings)]
    with naming_files(arguments):
        experiment = checked(parse(arguments))
    name = asked.name or name_of(experiment, asked.title)
    folder, record = trained(experiment, name, asked.root, asked.track, asked.execution)
    print(f"{folder}: {record.status}, valid/loss {record.metrics.get('valid/loss')}")
    return 0 if record.status == "finished" else 1


def name_of(experiment: Experiment, title: str) -> str:
    """Return the name of a run that was given none."""
    return f"{title}-{experiment.hash[:8]}"


def trained(
    experiment: Experiment,
    name: str,
    root: Path,
    track: bool = True,
    execution: Execution | None = None,
) -> tuple[Path, RunRecord]:
    """Run an experiment; return the folder, where its weights are kept, and the record.

    The same experiment under the same name goes on with the same run.

    Raises:
        ValueError: if another process makes the run of this name and seed; names it.
    """
    seed = experiment.config["seed_everything"]
    tracker = tracking.connect(root) if track else None
    folder = root / FIT / PROFILE / name / f"seed_{seed}"
    job = Job(FIT, PROFILE, name, seed, experiment, folder, keep_weights=True)
    with sole_user(folder, beside(folder)):
        if tracker is not None:
            tracker.open_run(folder)
        run_tracked([job], execution or Execution(), tracker)
        if tracker is not None:
            tracker.close({}, [])
    return job.folder, read_one(job.record_path)
