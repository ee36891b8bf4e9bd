"""Pilot runs: they tell how far seeds lie apart and how long a run takes, and judge nothing."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from moebench.cli.plan_table import pilots_folder
from moebench.cli.reproduce import refuse_text, refuse_without_gpu
from moebench.evidence.record_files import write_all
from moebench.evidence.result_files import RESULTS
from moebench.papers import Target
from moebench.papers.plan import Profile
from moebench.run.execution import Execution
from moebench.run.plan_jobs import make_jobs, resolve
from moebench.run.sole_user import sole_user
from moebench.run.tracked import run_tracked


def run_pilots(
    found: Target,
    profile: Profile,
    seeds: int,
    root: Path,
    settings: Mapping[str, object],
    execution: Execution,
) -> None:
    """Train the seeds below those of a profile, in a folder of their own; go on where it stopped.

    Args:
        found: the paper.
        profile: whose arms are trained.
        seeds: of every arm, from 0 on.
        root: folder of all runs.
        settings: laid over every arm.
        execution: how.

    Raises:
        ValueError: for fewer than two seeds, of which no spread can be told, or so many that they
            would reach those that judge.
    """
    most = profile.first_seed
    if not 2 <= seeds <= most:
        judging = f"{profile.name} judges by the seeds from {most} on"
        allowed = (
            f"must be from 2 to {most}; {judging}" if most > 1 else f"there are none; {judging}"
        )
        raise ValueError(f"pilots={seeds}: {allowed}")
    refuse_without_gpu(profile, settings)
    refuse_text(found, profile, settings)
    folder = pilots_folder(found, profile, root)
    pilot = replace(profile, name=folder.name, first_seed=0, more_seeds={})
    experiments, _ = resolve(found, pilot, settings)
    with sole_user(folder):
        jobs = make_jobs(found, pilot, experiments, seeds, folder)
        write_all(run_tracked(jobs, execution, None), folder / RESULTS[0])
