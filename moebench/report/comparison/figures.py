"""The figure of a comparison: what every mixture gains over a dense model."""

from collections.abc import Sequence

from markupsafe import Markup

from moebench.comparison import Pair
from moebench.report.theme import STAND_INS, canvas, drawing, element

ROW = 20.0  # points


def gains(pairs: Sequence[Pair], title: str) -> Markup:
    """Return the differences of pairs with their 95% intervals, the best on top.

    Filled where the interval leaves out zero; no line where there is one seed alone.
    """
    with drawing(f"gains {title}"):
        figure = canvas(52 + ROW * len(pairs))
        axes = figure.subplots()
        axes.grid(False, axis="y")
        axes.axvline(0, color=STAND_INS["faint"], linewidth=1, zorder=1)
        for row, pair in enumerate(pairs):
            found = pair.difference
            known = found.n > 1
            decided = known and (found.low > 0 or found.high < 0)
            word = "inconclusive" if not decided else "reproduced"
            color = STAND_INS["not-reproduced" if decided and found.low > 0 else word]
            if known:
                axes.plot([found.low, found.high], [row, row], color=color)
            face = color if decided else STAND_INS["page"]
            axes.plot(
                [found.estimate],
                [row],
                marker="o",
                markersize=6,
                markerfacecolor=face,
                markeredgecolor=color,
            )
        names = [f"{pair.mixture.arm} – {pair.dense.arm}" for pair in pairs]
        axes.set_yticks(range(len(pairs)), names)
        axes.tick_params(axis="y", length=0, labelcolor=STAND_INS["ink"])
        axes.set_ylim(len(pairs) - 0.4, -0.6)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"{pairs[0].mixture.metric}, mixture less dense")
        told = "; ".join(
            f"{pair.mixture.arm} less {pair.dense.arm} {pair.difference.estimate:.3g}"
            for pair in pairs
        )
        return element(figure, f"Differences with 95% intervals, {title}: {told}")
