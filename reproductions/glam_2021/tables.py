"""Table 4 of the paper, with parameters as printed and as counted on the meta device."""

from collections.abc import Mapping, Sequence

from moebench.evidence.record import RunRecord
from moebench.papers.plan import PaperTable
from reproductions.glam_2021.claims_computed import BOTH, ROUNDED, SMALLER
from reproductions.glam_2021.published import MODELS

NOTHING = "–"
KINDS = ("printed", "256,000", "32,000")


def tables(records: Sequence[RunRecord]) -> list[PaperTable]:
    """Return the table; without the computed record it has dashes."""
    found = [one.metrics for one in records if one.arm == "table_4" and one.status == "finished"]
    counted: Mapping[str, float] = found[0] if found else {}
    rows = []
    for name, model in MODELS.items():
        row = [name]
        for what, printed in zip(BOTH, (model.total, model.active), strict=True):
            row += [printed, *(_cell(counted, f"{name}, {what}{kind}") for kind in ("", SMALLER))]
        rows.append(row)
    return [
        PaperTable(
            name="table 4",
            title="Table 4, parameters as printed and as counted",
            caption="Counted with the vocabulary of 256,000 that the paper names, and with 32,000. "
            "Bold: what rounds to the printed number.",
            head=["model", *(f"{what}, {kind}" for what in BOTH for kind in KINDS)],
            rows=rows,
        )
    ]


def _cell(counted: Mapping[str, float], name: str) -> str:
    """Return a counted number in billions, bold if it rounds to the printed one."""
    if name not in counted:
        return NOTHING
    cell = f"{counted[name] / 1e9:,.4g}B" if counted[name] >= 1e9 else f"{counted[name] / 1e6:.4g}M"
    return f"**{cell}**" if counted[f"{name} off"] <= ROUNDED else cell
