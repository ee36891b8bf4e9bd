"""Sweeps: a search space over configuration keys becomes a study; the only user of optuna.

A trial is an experiment like any other: `trial_<n>/seed_<s>` with a record. The records and the
points beside them are what lasts; a lost study is rebuilt from them. The parent process talks to
the study; workers only train and do not know Optuna, so killing one cannot harm the study.
"""

from moebench.sweeps.definition import Sweep, read_sweep
from moebench.sweeps.points import evidence
from moebench.sweeps.search import SearchOptions, search

__all__ = ["SearchOptions", "Sweep", "evidence", "read_sweep", "search"]
