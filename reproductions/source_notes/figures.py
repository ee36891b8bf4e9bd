"""The figure of gates that learn through a choice: bias, variance and what they lead to."""

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup
from matplotlib.axis import Axis

from moebench.evidence.record import RunRecord
from moebench.report import Drawing
from moebench.report.theme import STAND_INS, Stroke, canvas, drawing, element, legend
from moebench.verdict.paired_runs import Evidence
from reproductions.source_notes.gate_claims import CHECKPOINTS, ESTIMATORS

SHOWN = [name for name in ESTIMATORS if name not in ("exact_doubled", "top_1", "gumbel_hot")]
CLOSE = 0.01  # below which the axes of bias and variance are linear, as both may be zero
MARKERS = "os^Dv<>Pp*h"

Means = Mapping[str, Mapping[str, float]]  # estimator -> metric -> mean over the seeds


def draw(records: Sequence[RunRecord]) -> list[Drawing]:
    """Return the figure; none unless all its arms have run."""
    evidence = Evidence.of([f"gate_{name}" for name in SHOWN], records)
    if evidence.missing:
        return []
    steps = [f"bias/{step}" for step in CHECKPOINTS]
    found = evidence.means(
        ["bias", "variance", "loss", "loss in training", *steps], list(evidence.runs)
    )
    means = {name: found[f"gate_{name}"] for name in SHOWN}
    return [
        Drawing(
            "Gradients through a choice",
            "Four experts, of which one is used. First: squared bias and variance of a router's "
            "gradient, as shares of the squared length of the exact gradient of the expected loss, "
            "over training; the axes are linear near zero. Second: the bias at steps of training; "
            "that of an estimate without one scatters around zero. "
            "Third: the loss after training for equal FLOPs, as the layer is used (filled) and as "
            "it is trained (open). Means over the seeds.",
            [_bias_and_variance(means), _over_training(means), _losses(means)],
        )
    ]


def _bias_and_variance(means: Means) -> Markup:
    """Draw one point per estimator."""
    with drawing("gates bias variance"):
        figure = canvas(340)
        axes = figure.subplots()
        for number, (name, mean) in enumerate(means.items()):
            axes.plot(
                [mean["bias"]],
                [mean["variance"]],
                MARKERS[number],
                color=Stroke(number).color,
                label=ESTIMATORS[name],
                markersize=8,
            )
        _close_to_zero(axes.set_xscale, axes.xaxis)
        _close_to_zero(axes.set_yscale, axes.yaxis)
        axes.set_xlabel("squared bias")
        axes.set_ylabel("variance")
        legend(axes)
        told = ", ".join(
            f"{ESTIMATORS[name]}: {mean['bias']:.3g} and {mean['variance']:.3g}"
            for name, mean in means.items()
        )
        return element(figure, f"Squared bias and variance: {told}")


def _close_to_zero(set_scale: Callable[..., None], axis: Axis) -> None:
    """Make an axis logarithmic, but linear close to zero, and label it with plain numbers."""
    set_scale("symlog", linthresh=CLOSE)
    axis.set_major_formatter("{x:g}")


def _over_training(means: Means) -> Markup:
    """Draw the bias against the steps."""
    with drawing("gates over training"):
        figure = canvas(280)
        axes = figure.subplots()
        for number, mean in enumerate(means.values()):
            values = [mean[f"bias/{step}"] for step in CHECKPOINTS]
            axes.plot(CHECKPOINTS, values, f"{MARKERS[number]}-", color=Stroke(number).color)
        axes.axhline(0, color=STAND_INS["faint"], linestyle=":")
        _close_to_zero(axes.set_yscale, axes.yaxis)
        axes.set_xlabel("steps")
        axes.set_ylabel("squared bias")
        return element(figure, f"Squared bias at the steps {', '.join(map(str, CHECKPOINTS))}")


def _losses(means: Means) -> Markup:
    """Draw the loss in use and the one in training."""
    with drawing("gates losses"):
        figure = canvas(340)
        axes = figure.subplots()
        for number, mean in enumerate(means.values()):
            color, row = Stroke(number).color, -number
            in_training = mean["loss in training"]
            axes.plot([in_training, mean["loss"]], [row, row], color=color)
            axes.plot([in_training], [row], MARKERS[number], color=color, fillstyle="none")
            axes.plot([mean["loss"]], [row], MARKERS[number], color=color)
        axes.set_yticks([-n for n in range(len(means))], [ESTIMATORS[name] for name in means])
        axes.set_xlabel("loss for equal FLOPs")
        told = ", ".join(f"{ESTIMATORS[name]}: {mean['loss']:.3g}" for name, mean in means.items())
        return element(figure, f"Loss for equal FLOPs: {told}")
