"""The paper's figures, drawn from runs: the experts' lines, their paths, the gate, the epochs.

Figures 2 and 3 and the entropy of the gate need every epoch, which records do not keep: these runs
are repeated for the page, with the seeds, systems and step of the arms they are named after.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from markupsafe import Markup
from matplotlib.ticker import NullFormatter, ScalarFormatter
from numpy.typing import NDArray

from moebench.evidence.record import RunRecord
from moebench.report import Drawing
from moebench.report.theme import ON_PAGE, STAND_INS, Stroke, canvas, drawing, element, legend
from moebench.statistics import Values
from reproductions.jacobs_1991.arms import CODINGS, DRAWN, SAME, TABLE_1, arm
from reproductions.jacobs_1991.lines import best_line, gate_line, place, span
from reproductions.jacobs_1991.mechanisms import EVERY, FIRST_SEED, SEEDS, entropy, looks
from reproductions.jacobs_1991.networks.errors import Likelihood
from reproductions.jacobs_1991.networks.mixture import ACTIVE, Mixture
from reproductions.jacobs_1991.vowels import Vowels

Lines = NDArray[np.float64]
NAMES = ("[i]", "[ɪ]", "[ɑ]", "[ʌ]")
MARKERS = ("o", "s", "^", "D")
BESIDE = {"T1": (-1, -1), "X": (1, -1)}  # others to the right and up: no expert ends there
FAR = 1.5  # kHz from the centre of the data; lines farther away divide nothing


def draw(records: Sequence[RunRecord]) -> list[Drawing]:
    """Return all figures of the paper."""
    return [
        Drawing(
            "The vowels and the lines of four experts",
            "Figure 2 of the paper. Training cases in kHz; a line shows where an expert's output "
            "is one half, dashed if the expert's share never exceeds 5%. Grey: where the two most "
            f"used experts have equal shares. Seed {FIRST_SEED}, step {SAME:g}, when the criterion "
            "is met.",
            [_lines()],
        ),
        Drawing(
            "The paths of eight experts",
            "Figure 3 of the paper: each expert's line as a point given by its angle and its "
            "distance from the centre of the data, from the start (small) to the criterion "
            "(large). T0 and T1: the best lines for [i] against [ɪ] and [ɑ] against [ʌ]. X: the "
            "line that a single expert settles on.",
            [_paths()],
        ),
        Drawing(
            "The gate over the epochs",
            f"Mean entropy of the gate over the training cases, {SEEDS} seeds each; a line ends "
            "when its run meets the criterion. Dotted: all experts have equal shares.",
            [_entropy(4), _entropy(8)],
        ),
        Drawing(
            "Epochs to the criterion",
            f"Every judged run that met it, at step {SAME:g} (left of each pair) and at the step "
            "where the system is fastest on average (right). One chart per coding.",
            [_epochs(records, coding) for coding in CODINGS],
        ),
    ]


def _lines() -> Markup:
    """Draw figure 2."""
    *_, (weights, cases, _) = looks(4)
    mixed = Mixture(4, Likelihood()).forward(weights, cases.x_DT)
    largest_E = (mixed.gate_SET[0] * (cases.share_T > 0)).amax(dim=-1)
    data = Vowels(coding="aligned", order=DRAWN).train
    with drawing("lines"):
        figure = canvas(340)
        axes = figure.subplots()
        for vowel, (name, marker) in enumerate(zip(NAMES, MARKERS, strict=True)):
            x_N, y_N = data.x_TD[data.vowel_T == vowel].T.numpy()
            color = Stroke(vowel).color
            points: dict[str, Any] = {"markersize": 3, "alpha": 0.6, "markeredgewidth": 0}
            axes.plot(x_N, y_N, marker, color=color, label=name, **points)
        legend(axes)
        box = (axes.get_xlim(), axes.get_ylim())
        for expert, line in enumerate(weights["expert"][0, :, 0]):
            used = bool(largest_E[expert] > ACTIVE)
            x_N2, y_N2 = span(line.numpy(), box)
            width, dash = (1.6, "-") if used else (0.8, "--")
            axes.plot(x_N2, y_N2, dash, color=STAND_INS["ink"], linewidth=width)
        first, second = largest_E.argsort(descending=True)[:2].tolist()
        line = gate_line(weights["gate"][0].numpy(), first, second)
        axes.plot(*span(line, box), color=STAND_INS["faint"], linewidth=3, alpha=0.5)
        axes.set_xlim(box[0])
        axes.set_ylim(box[1])
        axes.set_xlabel("first formant, kHz")
        axes.set_ylabel("second formant, kHz")
        in_use = int((largest_E > ACTIVE).sum())
        return element(figure, f"Vowels with the lines of four experts, {in_use} of them in use")


def _paths() -> Markup:
    """Draw figure 3."""
    path = []
    for weights, _, going_S in looks(8):
        path.append(place(weights["expert"][0, :, 0].numpy()))
        if not going_S[0]:
            break
    path_NE2 = np.stack(path)
    with drawing("paths"):
        figure = canvas(340)
        axes = figure.subplots()
        for expert in range(path_NE2.shape[1]):
            x_N, y_N = path_NE2[:, expert].T
            color = Stroke(expert).color
            turns = np.flatnonzero(np.abs(np.diff(x_N)) > 180) + 1  # from -180 to 180 degrees
            for part in np.split(np.arange(len(x_N)), turns):
                axes.plot(x_N[part], y_N[part], color=color, linewidth=1)
            axes.plot(x_N[:1], y_N[:1], "o", color=color, markersize=3)
            axes.plot(x_N[-1:], y_N[-1:], "o", color=color, markersize=7)
        axes.set_ylim(-FAR, FAR)
        for name, line in best_line().items():
            angle, distance = place(line[None])[0].tolist()
            axes.plot([angle], [distance], "x", color=STAND_INS["ink"], markersize=8)
            right, up = BESIDE.get(name, (1, 1))
            beside: dict[str, Any] = {
                "xytext": (7 * right, 7 * up),
                "textcoords": "offset points",
                "ha": "left" if right > 0 else "right",
                "va": "bottom" if up > 0 else "top",
                "bbox": ON_PAGE,
            }
            axes.annotate(name, (angle, distance), color=STAND_INS["ink"], fontsize=13, **beside)
        axes.set_xlabel("angle of the line, degrees")
        axes.set_ylabel("distance from the centre of the data, kHz")
        return element(figure, "Paths of the lines of eight experts")


def _entropy(experts: int) -> Markup:
    """Draw the entropy of the gate against epochs, one line per seed."""
    rows, going = [], []
    for weights, cases, going_S in looks(experts):
        rows.append(entropy(weights, cases))
        going.append(going_S)
    entropy_NS, going_NS = torch.stack(rows).numpy(), torch.stack(going).numpy()
    with drawing(f"entropy {experts}"):
        figure = canvas(260)
        axes = figure.subplots()
        for s in range(SEEDS):
            length = int(going_NS[:, s].sum()) + 1
            epoch_N = EVERY * np.arange(length)
            values = entropy_NS[:length, s]
            axes.plot(epoch_N[: len(values)], values, color=Stroke(0).color, linewidth=0.8)
        axes.axhline(np.log(experts), color=STAND_INS["faint"], linestyle=":")
        axes.set_ylim(bottom=0)
        axes.set_xlabel("epochs")
        axes.set_ylabel(f"entropy of {experts} experts, nats")
        return element(figure, f"Entropy of the gate of {experts} experts over the epochs")


def _epochs(records: Sequence[RunRecord], coding: str) -> Markup:
    """Draw the epochs to the criterion as points, one per run."""
    with drawing(f"epochs {coding}"):
        figure = canvas(280)
        axes = figure.subplots()
        for number, system in enumerate(TABLE_1):
            ours = [one.metrics for one in records if one.arm == arm(system, coding)]
            for offset, values in zip((-0.18, 0.18), _two_steps(ours), strict=True):
                spread = np.random.default_rng(number).uniform(-0.1, 0.1, len(values))
                at = number + offset + spread
                axes.plot(at, values, "o", color=Stroke(number).color, markersize=3, alpha=0.7)
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(ScalarFormatter())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks([500, 1000, 2000, 5000, 10000])
        axes.set_xticks(range(len(TABLE_1)), [name.replace("_", "\n") for name in TABLE_1])
        axes.set_ylabel(f"epochs, {coding}")
        return element(figure, f"Epochs to the criterion of four systems, coding {coding}")


def _two_steps(runs: Sequence[Mapping[str, float]]) -> tuple[Values, Values]:
    """Return the epochs at the common step, and at the step with the smallest mean."""
    names = sorted({name for run in runs for name in run if name.endswith("/epochs")})
    by_step = {
        name.split("/")[0]: np.array(
            [run[name] for run in runs if run.get(name.replace("epochs", "reached")) == 1.0]
        )
        for name in names
    }
    whole = {step: values for step, values in by_step.items() if len(values) == len(runs)}
    best = min(whole, key=lambda step: whole[step].mean()) if whole else ""
    nothing = np.array([])
    return by_step.get(f"step_{SAME:g}", nothing), by_step.get(best, nothing)
