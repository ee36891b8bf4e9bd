"""Where pages are kept whose content hangs on options: others never take their place."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what it comes from needs torch
    from moebench.data.sources.source import Source


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


def comparison_folder(root: Path, filters: Mapping[str, str | Path | Sequence[str] | None]) -> Path:
    """Return the folder of a comparison: `<root>/compare`, and one inside for what is filtered.

    Args:
        root: folder of all runs.
        filters: by the names of their options; empty or None for those that nobody gave.
    """
    names: list[str] = []
    for option, given in filters.items():
        values = [str(given)] if isinstance(given, str | Path) else given or []
        names += [f"{option}_{value}" for value in values if value]
    return root / "compare" / re.sub(r"[^\w.=-]", "_", "-".join(names))
