"""The figures of an analysis: load, repeats, information, specialisation, certainty."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize

from moebench.report.paper.figures import FOLD, OVER, UNDER
from moebench.report.theme import STAND_INS, canvas, drawing, element, legend, whole_numbers

SHARE = LinearSegmentedColormap.from_list("share", [(0.0, f"{UNDER}00"), (1.0, UNDER)])
FOLDS = LinearSegmentedColormap.from_list(
    "fold", [(0.0, UNDER), (0.5, f"{UNDER}00"), (0.5, f"{OVER}00"), (1.0, OVER)]
)
DEPTH = LinearSegmentedColormap.from_list("depth", [UNDER, OVER])
NAMED = 8  # layers that each have a colour and a name; of more, a colour bar says which is which
MEASURED, CHANCE, SECOND = "arm-1", "faint", "arm-2"
BOX: dict[str, Any] = {"aspect": "auto", "interpolation": "none"}


def loads(load: Sequence[Sequence[float]]) -> Markup:
    """Return the load of the experts of every layer, by its fold of an even share."""
    widest = max(map(len, load))
    fold = np.full((len(load), widest), np.nan)
    with np.errstate(divide="ignore"):
        for row, shares in enumerate(load):
            fold[row, : len(shares)] = np.log2(np.array(shares) * len(shares)).clip(-FOLD, FOLD)
    ends = "; ".join(f"layer {n} up to {max(s) * len(s):.3g}" for n, s in enumerate(load))
    with drawing("load"):
        figure = canvas(60 + 22 * len(load))
        axes = figure.subplots()
        axes.imshow(fold, cmap=FOLDS, vmin=-FOLD, vmax=FOLD, **BOX)
        _matrix(axes, "layer", "expert")
        return element(figure, f"Load over an even share: {ends}")


def repeats(layers: Sequence[Mapping[str, Any]], name: str) -> Markup:
    """Return the share of repeats of every layer with what a shuffle gives.

    Args:
        layers: of the findings.
        name: `first` or `any`.
    """
    found = [layer["repeats"] for layer in layers]
    words = {"first": "same first expert", "any": "an expert in common"}[name]
    told = "; ".join(
        f"layer {n} {100 * f[name]:.1f}%, shuffled {100 * f[f'{name}_null']:.1f}%"
        for n, f in enumerate(found)
    )
    with drawing(f"repeats {name}"):
        figure = canvas(220)
        axes = figure.subplots()
        null = [100 * f[f"{name}_null"] for f in found]
        measured = [100 * f[name] for f in found]
        error = [196 * f[f"{name}_se"] for f in found]
        disordered = [100 * layer["disordered"][name] for layer in layers]
        x, faint = range(len(found)), STAND_INS[CHANCE]
        style: dict[str, Any] = {"color": STAND_INS[MEASURED], "marker": "o", "capsize": 3}
        axes.errorbar(x, measured, yerr=error, label="as written", **style)
        axes.plot(x, null, color=faint, marker="_", markersize=10, ls=":", label="by chance")
        label = "read in random order"
        axes.plot(x, disordered, color=STAND_INS[SECOND], marker="s", ls="--", label=label)
        axes.set_ylabel(f"% with {words}")
        _from_zero(axes)
        _layers(axes)
        legend(axes)
        return element(figure, f"Consecutive tokens with {words}: {told}")


def information(layers: Sequence[Mapping[str, Any]]) -> Markup:
    """Return what the token, and beyond it the domain, say of the expert, less chance."""
    token = [f["tokens"]["information"] - f["tokens"]["information_null"] for f in layers]
    given = [f["tokens"]["domain_given_token"] for f in layers]
    x = range(len(layers))
    told = "; ".join(f"layer {n} token {value:.3g}" for n, value in enumerate(token))
    with drawing("information"):
        figure = canvas(240)
        axes = figure.subplots()
        axes.plot(x, token, marker="o", color=STAND_INS[MEASURED], label="the token")
        if None not in given:
            less = [
                f["tokens"]["domain_given_token"] - f["tokens"]["domain_given_token_null"]
                for f in layers
            ]
            axes.plot(
                x, less, marker="s", color=STAND_INS[SECOND], label="the domain, once it is known"
            )
        axes.set_ylabel("nats about the expert")
        _from_zero(axes)
        _layers(axes)
        legend(axes)
        return element(figure, f"Information about the expert: {told}")


def specialisation(share: Sequence[Sequence[float]], domains: Sequence[str], layer: int) -> Markup:
    """Return the share of the tokens of each domain that ask for each expert of a layer."""
    table = np.array(share)
    with drawing(f"specialisation {layer}"):
        figure = canvas(64 + 22 * len(domains))
        axes = figure.subplots()
        image = axes.imshow(table, cmap=SHARE, vmin=0, vmax=table.max(), **BOX)
        _matrix(axes, "", "expert")
        axes.set_yticks(range(len(domains)), domains)
        axes.set_title(f"layer {layer}", loc="left")
        figure.colorbar(image, ax=axes, format="%.2g", label="share")
        return element(figure, f"Share of tokens by domain and expert, layer {layer}")


def together(share: Sequence[Sequence[float]], layer: int) -> Markup:
    """Return the share of each expert's tokens that ask for each other one."""
    table = np.array(share)
    with drawing(f"together {layer}"):
        figure = canvas(300)
        axes = figure.subplots()
        image = axes.imshow(table, cmap=SHARE, vmin=0, vmax=table.max(), **BOX)
        _matrix(axes, "of the tokens of expert", "also sent to expert")
        axes.set_title(f"layer {layer}", loc="left")
        figure.colorbar(image, ax=axes, format="%.2g", label="share")
        return element(figure, f"Experts that share tokens, layer {layer}")


def agreement(table: Sequence[Sequence[float]]) -> Markup:
    """Return how far the first choice of one layer tells that of another."""
    found = np.array(table)
    apart = found[~np.eye(len(found), dtype=bool)]
    with drawing("agreement"):
        figure = canvas(300)
        axes = figure.subplots()
        np.fill_diagonal(found, np.nan)
        most = max(0.01, apart.max())  # of layers that do not agree it may lie below zero
        image = axes.imshow(found, cmap=SHARE, vmin=0, vmax=most, **BOX)
        _matrix(axes, "layer", "layer")
        label = "mutual information (0 to 1)"
        figure.colorbar(image, ax=axes, format="%.2g", label=label)
        return element(
            figure, f"Mutual information of layers, from {apart.min():.3g} to {apart.max():.3g}"
        )


def certainty(found: Sequence[Mapping[str, Any]], numbers: Sequence[int]) -> Markup:
    """Return histograms of the largest probability and of its lead over the second."""
    told = "; ".join(
        f"layer {n} confidence {f['confidence']:.3g}, margin {f['margin']:.3g}"
        for n, f in zip(numbers, found, strict=True)
    )
    with drawing("certainty"):
        figure = canvas(240)
        panels = figure.subplots(1, 2, sharey=True)
        for panel, name in zip(panels, ("confidence", "margin"), strict=True):
            for place, (number, layer) in enumerate(zip(numbers, found, strict=True)):
                share = layer[f"{name}_histogram"]
                edges = np.linspace(0, 1, len(share) + 1)
                color = STAND_INS[f"arm-{place + 1}"]
                panel.stairs(share, edges, color=color, linewidth=1.6, label=f"layer {number}")
            panel.set_xlabel(f"{name} (probability)")
        panels[0].set_ylabel("share of tokens")
        legend(panels[0])
        return element(figure, f"How sure the routers are: {told}")


def saturation(found: Sequence[Mapping[str, Any]]) -> Markup:
    """Return the share of the final routing that every earlier state had, a line a layer."""
    layers = len(found[0]["layers"])
    told = "; ".join(
        f"{f['model']} {np.mean([layer['saturation'] for layer in f['layers']]):.3g}" for f in found
    )
    with drawing("saturation"):
        figure = canvas(260)
        axes = figure.subplots()
        x = range(len(found))
        many = layers > NAMED
        ramp = ScalarMappable(Normalize(0, layers - 1), DEPTH)
        for layer in range(layers):
            values = [f["layers"][layer]["saturation"] for f in found]
            color = DEPTH(layer / (layers - 1)) if many else STAND_INS[f"arm-{layer}"]
            axes.plot(x, values, marker="o", color=color, label="" if many else f"layer {layer}")
        chance = [np.mean([layer["chance"] for layer in f["layers"]]) for f in found]
        axes.plot(x, chance, color=STAND_INS[CHANCE], linestyle=":", label="by chance")
        axes.set_xticks(x, [f["model"] for f in found])
        axes.set_ylim(0, 1)
        axes.set_ylabel("share of the final experts")
        if many:
            figure.colorbar(ramp, ax=axes, label="layer", ticks=range(0, layers, layers // NAMED))
        legend(axes)
        return element(figure, f"Share of the final routing, mean over layers: {told}")


def _from_zero(axes: Any) -> None:
    """Start the values at zero, or below if some are, with room for the marker at the top."""
    low, high = axes.get_ylim()
    low = min(0, low)
    axes.set_ylim(low, high + 0.05 * (high - low))


def _layers(axes: Any) -> None:
    """Label the horizontal axis with layers."""
    axes.set_xlabel("layer")
    whole_numbers(axes.xaxis)


def _matrix(axes: Any, rows: str, columns: str) -> None:
    """Label the axes of a table whose cells are numbered."""
    axes.grid(False)
    axes.set_ylabel(rows)
    axes.set_xlabel(columns)
    for axis in (axes.xaxis, axes.yaxis):
        whole_numbers(axis)
