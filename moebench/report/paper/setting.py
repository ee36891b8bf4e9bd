"""What was run on which machines, for the paragraph at the top of a page."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from moebench.report import formatting
from moebench.report.paper.runs import Run
from moebench.report.paper.text_overlap import overlap_told, overlaps


def setting(found: Sequence[Run]) -> dict[str, Any]:
    """Return counts, machines, versions, data, commits and days of some runs."""
    records = [run.record for run in found if run.record.steps or run.record.status != "finished"]
    times = [line["time"] for run in found for line in run.history if "time" in line]
    days = [datetime.fromtimestamp(time, UTC).date().isoformat() for time in times]
    return {
        "profiles": distinct(run.record.profile for run in found),
        "runs": len(records),
        "finished": sum(record.status == "finished" for record in records),
        "machines": distinct(_machine(run.record.hardware) for run in found),
        "versions": distinct(
            ", ".join(f"{name} {version}" for name, version in run.record.versions.items())
            for run in found
        ),
        "data": distinct(record.data_hash for record in records),
        "overlap": overlap_told(overlaps(records)),
        "commits": distinct(run.record.commit for run in found),
        "days": sorted({min(days), max(days)}) if days else [],
    }


def distinct(values: Iterable[str]) -> list[str]:
    """Return the values that are not empty, each once, in their order."""
    return [value for value in dict.fromkeys(values) if value]


def _machine(hardware: Mapping[str, str | int]) -> str:
    """Return a machine in words, its processor or accelerator by name."""
    names = [str(hardware[key]) for key in ("accelerator", "processor") if hardware.get(key)]
    counts = [
        formatting.plural(int(hardware[key]), noun)
        for key, noun in (("cores", "core"), ("threads", "thread"))
        if hardware.get(key)
    ]
    return ", ".join([*names, *counts])
