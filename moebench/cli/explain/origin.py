"""The parts of an explanation that say where runs come from, and how to make them again."""

import shlex
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from moebench.cli.explain.case import Case
from moebench.evidence.record import RunRecord
from moebench.report.tables import paragraph

COMMANDS = 4  # as examples
KINDS = 3  # of one thing, before the rest is counted


def origin(case: Case) -> list[str]:
    """Return where the runs come from and what they were made with."""
    runs = [one for of in case.evidence.runs.values() for one in of.values()]
    if not runs:
        return []

    def kinds(name: str, of: Callable[[RunRecord], str]) -> list[str]:
        return paragraph(name, _counted(map(of, runs)))

    path = _near(case.kept.path)
    return [
        *paragraph("runs", f"{len(runs)} of the profile {case.kept.profile}, in {path}"),
        *kinds("commit", _commit),
        *kinds("source", lambda one: one.source or "not recorded"),
        *kinds("data", _data),
        *kinds("hardware", lambda one: ", ".join(f"{k} {v}" for k, v in one.hardware.items())),
        *kinds("precision", _precision),
        *kinds("versions", lambda one: ", ".join(f"{k} {v}" for k, v in one.versions.items())),
    ]


def _near(path: Path) -> Path:
    """Return a path as seen from here, where it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _commit(one: RunRecord) -> str:
    """Return the commit of a run, and whether the files were those of it."""
    if one.commit.endswith("+"):
        return f"{one.commit[:-1]} with uncommitted changes"
    return one.commit or "not recorded"


def _data(one: RunRecord) -> str:
    """Return which data a run was trained on."""
    return f"{one.data_hash[:12]}, version {one.data_version}" if one.data_hash else "none"


def _precision(one: RunRecord) -> str:
    """Return what a run was trained in."""
    return one.precision or ("not recorded" if one.steps else "none: computed")


def _counted(texts: Iterable[str]) -> str:
    """Return each text once, with how many runs it is of where there are several."""
    counts = Counter(text or "not recorded" for text in texts)
    if len(counts) == 1:
        return next(iter(counts))
    told = [f"{text} ({count} runs)" for text, count in counts.most_common(KINDS)]
    more = len(counts) - KINDS
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def checks(case: Case) -> list[str]:
    """Return the commands that make the numbers again."""
    found = {arm: min(runs) for arm, runs in case.evidence.runs.items() if runs}
    if not found:
        return []
    committed = case.kept.path == case.runs.evidence
    which = [] if committed else ["--profile", case.kept.profile]
    commands = [
        shlex.join(["moebench", "rerun", case.runs.name, arm, str(seed), *which])
        for arm, seed in found.items()
    ]
    return [
        "to make one of these numbers again, of any arm and seed of the claim",
        *(f"  {command}" for command in commands[:COMMANDS]),
        f"to make them all: {case.runs.command(case.kept.profile)}",
    ]
