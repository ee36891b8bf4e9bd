"""Sweeps: a search space over configuration keys becomes a study; the only package using Optuna.

A trial is an experiment like any other: `trial_<n>/seed_<s>` with a record. One process drives:
`Trials` asks the `Study` for a point and opens a trial with it, an `OpenTrial`; it hands out the
trial's jobs, takes their records, and tells the study what they come to; in the end `write_results`
reports. Points and records are in files as well, and a lost study is made again from them. Workers
just train and know nothing of Optuna, so killing one cannot harm the study.
"""

from moebench.sweeps.definition import Sweep
from moebench.sweeps.points import evidence
from moebench.sweeps.search import SearchOptions, search
from moebench.sweeps.sweep_file import read_sweep

__all__ = ["SearchOptions", "Sweep", "evidence", "read_sweep", "search"]
