"""A dry run: one step of the base experiment in a temporary folder, to see what it logs and costs.

Invalid settings fail here, before the sweep writes anything.
"""

import copy
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from moebench.evidence.record import RunRecord
from moebench.experiment import Experiment
from moebench.experiment.device_options import ONE_DEVICE
from moebench.run.check import checked
from moebench.run.first_step import in_silence
from moebench.run.job import Job
from moebench.run.worker import execute

SHORT = {**ONE_DEVICE, "max_steps": 1, "limit_val_batches": 1, "log_every_n_steps": 1}


def dry_run(experiment: Experiment) -> RunRecord:
    """Return the record of one step of an experiment.

    Raises:
        ValueError: if a part refuses its settings, or the step fails.
    """
    known = checked(experiment)
    config: dict[str, Any] = copy.deepcopy(dict(known.config))
    step = config["trainer"].get("accumulate_grad_batches") or 1
    config["trainer"].update(SHORT, val_check_interval=step)
    with tempfile.TemporaryDirectory() as folder, in_silence():
        short = replace(known, config=config)
        job = Job("sweeps", "dry_run", "base", 0, short, Path(folder) / "run")
        record = execute(job, [])
        if record.status != "finished":
            error = job.folder / "error.txt"
            told = error.read_text().strip().splitlines()[-1:] if error.exists() else []
            raise ValueError(f"experiment: its first step is {record.status}: {' '.join(told)}")
    return record
