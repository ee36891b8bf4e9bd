"""Figure 2 of the paper: perplexity against the number of experts, theirs and ours."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, ScalarFormatter

from moebench.data.synthetic import Recall
from moebench.evidence.record import RunRecord
from moebench.report import Drawing
from moebench.report.theme import STAND_INS, Stroke, canvas, drawing, element
from reproductions.shazeer_2017.paper import RIVALS, TO_256
from reproductions.shazeer_2017.published import TABLE_7
from reproductions.shazeer_2017.tables import losses

THEIRS = {4: "MoE-4", 32: "MoE-32", 256: "MoE-256"}
THEIR_RIVALS = ("4xLSTM-512", "LSTM-2048-512", "MoE-1-Wide", "MoE-1-Deep")
TOKENS = 13  # per sequence, as drawn: twelve to read and the next one


def draw(records: Sequence[RunRecord]) -> list[Drawing]:
    """Return the figure; none without runs of its arms."""
    if not any(len(losses(records, arm)) for arm in TO_256):
        return []
    return [
        Drawing(
            "Perplexity and the number of experts",
            "Figure 2, left. First the paper's flat models on its text, then ours on facts, one "
            "point per run. Dashes: dense models with equal operations. Dotted: the entropy of the "
            "world, below which no model can go.",
            [_theirs(), _ours(records)],
        )
    ]


def _theirs() -> Markup:
    """Draw the paper's figures."""
    with drawing("figure 2 paper"):
        figure = canvas(260)
        axes = figure.subplots()
        values = [TABLE_7[name] for name in THEIRS.values()]
        axes.plot(list(THEIRS), values, "o-", color=Stroke(0).color)
        for name in THEIR_RIVALS:
            axes.axhline(TABLE_7[name], color=STAND_INS["faint"], linestyle="--", linewidth=0.8)
        _frame(axes, list(THEIRS), "perplexity, the paper")
        told = ", ".join(f"{number}: {TABLE_7[name]}" for number, name in THEIRS.items())
        return element(figure, f"Perplexity of the paper by number of experts: {told}")


def _ours(records: Sequence[RunRecord]) -> Markup:
    """Draw ours, with the floor."""
    with drawing("figure 2 ours"):
        figure = canvas(260)
        axes = figure.subplots()
        means = []
        for arm, number in TO_256.items():
            found = np.exp(losses(records, arm))
            if len(found):
                axes.plot([number] * len(found), found, "o", color=Stroke(0).color, markersize=3)
                means.append((number, float(found.mean())))
        axes.plot(*zip(*means, strict=True), color=Stroke(0).color)
        for arm in RIVALS:
            found = np.exp(losses(records, arm))
            if len(found):
                level = float(found.mean())
                axes.axhline(level, color=STAND_INS["faint"], linestyle="--", linewidth=0.8)
        floor = float(np.exp(Recall(facts=8192).floor(TOKENS)))
        axes.axhline(floor, color=STAND_INS["ink"], linestyle=":")
        _frame(axes, [number for number, _ in means], "perplexity, here")
        told = ", ".join(f"{number}: {value:.3g}" for number, value in means)
        return element(figure, f"Our perplexity by number of experts: {told}; floor {floor:.3g}")


def _frame(axes: Axes, numbers: Sequence[int], quantity: str) -> None:
    """Label the axes; the numbers of experts are on a base-2 log scale."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(numbers))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("experts")
    axes.set_ylabel(quantity)
