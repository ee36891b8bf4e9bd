"""The opening of an analysis: what the routers follow, how surely, and what is unknown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from moebench.report.formatting import digits, listed, plural

TIMES = 2.0  # the one followed is at least this many times as far above chance as the other
SURE = 1.96  # standard errors


def opening(findings: Mapping[str, Any]) -> list[str]:
    """Return a few sentences."""
    layers = findings["layers"]
    windows = findings["tokens"] // findings["length"]
    sentences = [_follows(layers), _neighbours(layers, windows), _load(layers)]
    return [*(sentence for sentence in sentences if sentence), _open(findings, windows)]


def _follows(layers: Sequence[Mapping[str, Any]]) -> str:
    """Say whether token or topic predicts the expert, each above chance."""
    token, topic = (_above_chance(layers, part) for part in ("tokens", "domains"))
    if token is None:
        return ""
    if topic is None:
        sure = "from 0 (chance) to 1 (certainty)"
        return f"The token predicts its expert at {digits(token, 2)}, {sure}."
    if max(token, topic) <= 0:
        who = "neither token nor topic"
    elif token > TIMES * topic:
        who = "the token, not the topic"
    elif topic > TIMES * token:
        who = "the topic, not the token"
    else:
        who = "both token and topic"
    sure = sum(layer["domains"]["nmi"] > layer["domains"]["nmi_null_high"] for layer in layers)
    return (
        f"The routers follow {who}: from 0 (chance) to 1 (certainty), the token predicts the "
        f"expert at {digits(token, 2)} and the domain of the text at {digits(topic, 2)}, which is "
        f"above chance in {sure} of {plural(len(layers), 'layer')}."
    )


def _above_chance(layers: Sequence[Mapping[str, Any]], part: str) -> float | None:
    """Return the mean normalised mutual information less chance; None where it is not known."""
    pairs = [(layer[part]["nmi"], layer[part]["nmi_null"]) for layer in layers]
    known = [nmi - null for nmi, null in pairs if nmi is not None and null is not None]
    return float(np.mean(known)) if len(known) == len(layers) else None


def _neighbours(layers: Sequence[Mapping[str, Any]], windows: int) -> str:
    """Say whether neighbouring tokens share experts more often than by chance."""
    found = [layer["repeats"] for layer in layers]
    if windows < 2:
        return ""
    sure = [one for one in found if one["first_excess"] > SURE * one["first_se"]]
    if not sure:
        return "Neighbouring tokens share an expert no more often than shuffled ones."
    most = max(sure, key=lambda one: one["first_excess"])
    return (
        f"In {len(sure)} of {plural(len(layers), 'layer')}, neighbouring tokens share their first "
        f"expert more often than shuffled ones: at most {100 * most['first']:.1f}% against "
        f"{100 * most['first_null']:.1f}% (layer {found.index(most)})."
    )


def _load(layers: Sequence[Mapping[str, Any]]) -> str:
    """Say how even the load is."""
    most = [max(layer["domains"]["load"]) * layer["experts"] for layer in layers]
    idle = sum(not share for layer in layers for share in layer["domains"]["load"])
    low, high = digits(min(most), 2), digits(max(most), 2)
    told = low if low == high else f"{low} to {high}"
    spare = f"; {plural(idle, 'expert')} got no tokens" if idle else ""
    return f"The busiest expert of a layer gets {told} times an even share{spare}."


def _open(findings: Mapping[str, Any], windows: int) -> str:
    """Say what was read, and what it does not show."""
    loss = f"a loss of {findings['loss']['mean']:.3f} nats per token"
    read = (
        f"This took no training: the model read {findings['tokens']:,} tokens in "
        f"{plural(windows, 'window')}, with {loss}."
    )
    parts = ["whether a model trained with another seed routes the same way"]
    if len(findings["domains"]) < 2:
        parts.append("the role of the topic, because the text has one domain")
    if windows < 2:
        parts.append("the effect of chance, because there is one window")
    if findings["too_short"]:
        parts.append(f"{listed(findings['too_short'])}, which is shorter than a window")
    return f"{read} Not known: {'; '.join(parts)}."
