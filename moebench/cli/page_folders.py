"""Where pages are kept whose content hangs on options: others never take their place."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what it comes from needs torch
    from moebench.data.sources.source import Source

LONGEST = 100  # characters of the name of a folder, which has at most 255 bytes


def analysis_folder(
    root: Path, model: Path, text: "Source | None", numbers: Mapping[str, int | None]
) -> Path:
    """Return the folder of an analysis, named after what was asked for.

    Args:
        root: folder of all runs.
        model: a run under it, or a checkpoint.
        text: None where it is the model's own.
        numbers: by the names of their options; None for those that nobody gave.
    """
    place, runs = model.resolve(), root.resolve()
    inside = place.is_relative_to(runs)
    names = [*(place.relative_to(runs).parts if inside else place.parts[-2:])]
    if text is not None:
        path = getattr(text, "path", type(text).__name__)
        names += ["on", Path(path).resolve().name]
    names += [f"{name}_{number}" for name, number in numbers.items() if number is not None]
    return root / "analysis" / "-".join(names)


def comparison_folder(
    root: Path, choices: Mapping[str, str | Path | Sequence[str] | bool | None]
) -> Path:
    """Return the folder of a comparison: `<root>/compare`, and one inside for what was chosen.

    Args:
        root: folder of all runs.
        choices: by the names of their options; empty, None or False for those that nobody chose.
    """
    names: list[str] = []
    for option, given in choices.items():
        if given is True:
            names.append(option)
        elif given:
            values = [str(given)] if isinstance(given, str | Path) else given
            names += [f"{option}_{value}" for value in values if value]
    return root / "compare" / _cut(re.sub(r"[^\w.=-]", "_", "-".join(names)))


def _cut(name: str) -> str:
    """Return a name short enough for a folder; different names stay different."""
    if len(name) <= LONGEST:
        return name
    return f"{name[:LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
