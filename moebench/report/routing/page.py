"""What the instruments found about routing, as text for a terminal and as one HTML page."""

from collections.abc import Mapping, Sequence
from typing import Any

from moebench.report import formatting
from moebench.report.html import rendered
from moebench.report.routing import figures
from moebench.report.routing.opening import opening
from moebench.report.tables import table, wrapped

HEAD = (
    *("layer", "experts", "max load", "repeats (shuffled)", "overlap (shuffled)"),
    *("excess", "in disorder"),
    *("domain NMI (chance)", "token NMI (chance)", "confidence", "margin"),
)
NOTES = (
    "max load: tokens of the busiest expert over an even share",
    "repeats, overlap: consecutive tokens with one first expert, with any expert in common",
    "shuffled: the same if the tokens of every window came in random order",
    "excess: repeats above shuffled; in disorder: the same where the model reads shuffled windows",
    "NMI: normalised mutual information with the expert; chance: with that of other windows",
)
CAPTION = (
    "How much the token says about its expert, and how much the domain of the text adds once the "
    "token is known. Chance is taken off: what remains when tokens change places within a window, "
    "or windows change domains."
)


def rows(findings: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the cells of every layer, by `HEAD`."""
    return [
        (str(number), str(layer["experts"]), *_cells(layer))
        for number, layer in enumerate(findings["layers"])
    ]


def _cells(layer: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the cells of a layer after its number of experts."""
    repeats, domains, tokens = layer["repeats"], layer["domains"], layer["tokens"]
    return (
        formatting.digits(max(domains["load"]) * layer["experts"]),
        *(_percent(repeats[name], repeats[f"{name}_null"]) for name in ("first", "any")),
        *(f"{100 * layer[part]['first_excess']:+.1f}" for part in ("repeats", "disordered")),
        *(_known(part["nmi"], part["nmi_null"]) for part in (domains, tokens)),
        *(formatting.digits(layer["certainty"][name]) for name in ("confidence", "margin")),
    )


def _percent(share: float, null: float) -> str:
    """Return a share in percent, and behind it what chance gives."""
    return f"{100 * share:.1f}% ({100 * null:.1f}%)"


def _known(value: float | None, null: float | None) -> str:
    """Return a number between zero and one and what chance gives, or a dash."""
    return "–" if value is None or null is None else f"{value:.3f} ({null:.3f})"


def analysis_text(findings: Mapping[str, Any]) -> str:
    """Return the first words and the table of layers for a terminal."""
    lines = [line for told in opening(findings) for line in wrapped(told)]
    lines += ["", *table(HEAD, rows(findings), "r" * len(HEAD))]
    lines += ["", *(line for note in (*NOTES, *_told(findings)) for line in wrapped(note))]
    for earlier in findings["saturation"]:
        shares = ", ".join(f"{100 * layer['saturation']:.0f}%" for layer in earlier["layers"])
        lines += wrapped(f"{earlier['model']} had of the final routing, layer by layer: {shares}")
    return "\n".join(lines)


def _told(findings: Mapping[str, Any]) -> list[str]:
    """Return remarks about the text."""
    found = [
        f"{formatting.scaled(findings['tokens'])} tokens in windows of {findings['length']}, "
        f"{findings['loss']['mean']:.3f} nats per token"
    ]
    if findings["too_short"]:
        names = ", ".join(findings["too_short"])
        found.append(f"not read, shorter than a window: {names}")
    if findings["covered"] < 1:
        share = formatting.digits(100 * findings["covered"])
        found.append(f"token NMI counts the commonest tokens, {share}% of the text")
    return found


def analysis_page(findings: Mapping[str, Any]) -> str:
    """Return one self-contained page."""
    layers = findings["layers"]
    chosen = shown(len(layers))
    return rendered(
        "routing/page.html",
        findings=findings,
        opening=opening(findings),
        information=figures.information(layers),
        caption=CAPTION,
        told=_told(findings),
        notes=NOTES,
        head=HEAD,
        rows=rows(findings),
        domain_head=_domain_head(chosen),
        domains=list(zip(findings["domains"], *_by_domain(findings), strict=True)),
        load=figures.loads([layer["domains"]["load"] for layer in layers]),
        repeats=[figures.repeats(layers, name) for name in _repeats(layers)],
        specialisation=[
            figures.specialisation(
                layers[number]["domains"]["specialisation"], findings["domains"], number
            )
            for number in chosen
        ],
        together=[
            figures.together(layers[number]["co_activation"], number)
            for number in chosen
            if any(map(any, layers[number]["co_activation"]))
        ],
        agreement=figures.agreement(findings["agreement"]) if len(layers) > 1 else None,
        certainty=figures.certainty([layers[number]["certainty"] for number in chosen], chosen),
        saturation=figures.saturation(findings["saturation"]) if findings["saturation"] else None,
        read_by=[(number, findings["read_by"][number]) for number in chosen],
    )


def shown(layers: int) -> list[int]:
    """Return the layers with figures of their own, as in Mixtral: first, middle and last."""
    return sorted({0, layers // 2, layers - 1})


def _repeats(layers: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return which repeats are drawn: with one expert a token both are the same."""
    same = all(layer["repeats"]["first"] == layer["repeats"]["any"] for layer in layers)
    return ["first"] if same else ["first", "any"]


def _domain_head(chosen: Sequence[int]) -> list[str]:
    """Return the titles of the table of domains."""
    repeats = [f"repeats (shuffled), layer {number}" for number in chosen]
    return ["domain", "windows", "nats per token", *repeats]


def _by_domain(findings: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    """Return columns of windows, loss, and repeats of the first, middle and last layer."""
    loss = findings["loss"]
    columns = [[str(n) for n in loss["windows"]], [f"{x:.3f}" for x in loss["by_domain"]]]
    for number in shown(len(findings["layers"])):
        by_domain = findings["layers"][number]["repeats"]["by_domain"]
        pairs = zip(by_domain["first"], by_domain["first_null"], strict=True)
        columns.append([_percent(share, null) for share, null in pairs])
    return columns
