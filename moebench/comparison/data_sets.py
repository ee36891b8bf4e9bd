"""Arms run on several data sets: the runs on each data set form a separate group."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from moebench.evidence.data_name import data_name
from moebench.tracking import Logged


def split_by_data(runs: Iterable[Logged]) -> list[Logged]:
    """Return the runs; if an arm has several data sets, profiles are named after their data.

    Runs that failed before their data were known are then left out. If arms differ in their data
    but none has several, the plan intends it, and nothing changes.
    """
    listed = list(runs)
    seen: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for record in (run.record for run in listed if run.record.data_hash):
        seen[record.target, record.profile, record.arm].add(record.data_hash)
    several = {(target, profile) for (target, profile, _), found in seen.items() if len(found) > 1}
    found = []
    for run in listed:
        if (run.record.target, run.record.profile) not in several:
            found.append(run)
        elif run.record.data_hash:
            found.append(run._replace(record=replace(run.record, profile=_profile(run))))
    return found


def _profile(run: Logged) -> str:
    """Return the profile and data of a run; the hash tells data of the same name apart."""
    name = data_name(run.record.config or _nested(run.data))
    return f"{run.record.profile} on {name} ({run.record.data_hash[:6]})"


def _nested(flat: Mapping[str, str]) -> Mapping[str, Any]:
    """Return a configuration from its dotted keys."""
    found: dict[str, Any] = {}
    for key, value in flat.items():
        *places, last = key.split(".")
        inside = found
        for place in places:
            inside = inside.setdefault(place, {})
        inside[last] = value
    return found
