"""Table 5 of the paper with our figures beside its own."""

from collections.abc import Sequence

import numpy as np

from moebench.evidence.record import RunRecord
from moebench.papers.plan import PaperTable
from reproductions.mixtral_2024.published import CHANCE_5, EITHER_5, FIRST_5, LAYERS_5

NOTHING = "–"
HEAD = ("model", "choice", "layer", "consecutive tokens", "chance")


def tables(records: Sequence[RunRecord]) -> list[PaperTable]:
    """Return the table: the paper's range over domains, then our arms, layer by layer."""
    rows = [*_paper("first choice", FIRST_5, CHANCE_5[0]), *_paper("either", EITHER_5, CHANCE_5[1])]
    for arm in dict.fromkeys(
        one.arm for one in records if one.steps and "analysis/0/repeats" in one.metrics
    ):
        ours = [one for one in records if one.arm == arm and one.status == "finished"]
        rows += _measured(arm, "first choice", "repeats", ours)
        rows += _measured(arm, "either", "overlap", ours)
    return [
        PaperTable(
            name="table 5",
            title="Table 5, consecutive tokens with an expert in common",
            caption="In per cent. The paper: the range over eight domains, and chance for an even "
            "load. Here: means over seeds with their standard deviation, chance as given by "
            "shuffling the same choices, and the excess over it; last, the same excess for tokens "
            "read in random order.",
            head=[*HEAD, "above it", "above it in random order"],
            rows=rows,
        )
    ]


def _paper(
    choice: str, by_domain: dict[str, tuple[float, float, float]], chance: float
) -> list[list[str]]:
    """Return the paper's rows: the range over domains of each layer."""
    rows = []
    for layer, shares in zip(LAYERS_5, zip(*by_domain.values(), strict=True), strict=True):
        low, high = min(shares), max(shares)
        above = f"{low - chance:+.1f} to {high - chance:+.1f}"
        share = f"{low:g} to {high:g}"
        rows.append(["Mixtral 8x7B", choice, str(layer), share, f"{chance:g}", above, NOTHING])
    return rows


def _measured(arm: str, choice: str, name: str, ours: Sequence[RunRecord]) -> list[list[str]]:
    """Return the rows of one of our arms."""
    rows = []
    layer = 0
    while any(f"analysis/{layer}/{name}" in one.metrics for one in ours):
        share, excess, disordered = (
            100 * np.array([one.metrics[f"analysis/{layer}/{key}"] for one in ours])
            for key in (name, f"{name}_excess", f"{name}_disordered")
        )
        cells = [_mean(share), f"{(share - excess).mean():.1f}"]
        rows.append([arm, choice, str(layer), *cells, _mean(excess, "+"), _mean(disordered, "+")])
        layer += 1
    return rows


def _mean(values: np.ndarray, sign: str = "") -> str:
    """Return mean and standard deviation."""
    spread = f" ± {values.std(ddof=1):.1f}" if len(values) > 1 else ""
    return f"{values.mean():{sign}.1f}{spread}"
