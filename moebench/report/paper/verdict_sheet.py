"""The verdicts on the claims of a paper as one table for other programs."""

from collections.abc import Sequence

from moebench.papers.claim import KINDS
from moebench.report import formatting
from moebench.report.sheets import Sheet
from moebench.verdict import Verdict
from moebench.verdict.marks import marked
from moebench.verdict.remarks import printed_p

HEAD = ("claim", "of", "verdict", "statement", "paper", "effect [95% interval]", "n", "p")
FIELDS = (  # of a verdict, in the file of figures
    *("claim", "version", "says", "source", "verdict", "effect", "low", "high", "unit", "n"),
    *("replicate", "p", "p_adjusted", "preliminary", "matched_on", "control_of", "why"),
)


def verdict_sheet(verdicts: Sequence[Verdict]) -> Sheet:
    """Return one row a claim, with statements of the paper, controls and additions in one table.

    The p of a statement of the paper is adjusted, as in the report.
    """
    return Sheet(
        head=HEAD,
        rows=[_cells(verdict) for verdict in verdicts],
        align="lllpprrr",
        full_head=("of", *FIELDS, "paper_values"),
        full_rows=[_figures(verdict) for verdict in verdicts],
    )


def _kind(verdict: Verdict) -> str:
    """Return whose statement it is."""
    if verdict.control_of:
        return f"{KINDS[verdict.expects]} control of {verdict.control_of}"
    return "paper" if verdict.of_paper else "ours"


def _cells(verdict: Verdict) -> tuple[str, ...]:
    """Return the cells of a verdict, by `HEAD`."""
    effect, interval = formatting.effect(verdict)
    paper = [" ".join(pair) for pair in formatting.figures(verdict.paper_values)]
    return (
        marked(verdict.claim, *verdict.leaks.values()),
        _kind(verdict),
        verdict.verdict + ("*" if verdict.preliminary else ""),
        verdict.says,
        "; ".join([verdict.source, *paper]),
        " ".join(part for part in (effect, interval, verdict.unit) if part) if effect else "",
        str(verdict.n) if effect else "",
        formatting.p_value(printed_p(verdict)),
    )


def _figures(verdict: Verdict) -> list[object]:
    """Return all digits of a verdict; None, an empty cell, for what is not known."""
    values = verdict.to_json()
    paper = "; ".join(" ".join(pair) for pair in formatting.figures(verdict.paper_values))
    return [_kind(verdict), *(values[name] for name in FIELDS), paper]
