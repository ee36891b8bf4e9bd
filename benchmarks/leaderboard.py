"""The ranking of routers: from records to README.md, and to files for other programs.

`python -m benchmarks.leaderboard` writes them anew from the committed runs; with `--format csv`,
`markdown` or `latex` it prints the table alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.command import one_line, parser
from benchmarks.leaderboard_opening import opening
from benchmarks.ranking import DENSE, FLOPS, Place, Runs, mean_cost, places
from moebench.cli.exports import FORMS
from moebench.cli.provenance import outdated_of
from moebench.comparison import EQUAL
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, write_all
from moebench.report import fill
from moebench.report import tables as columns
from moebench.report.formatting import interval, scaled
from moebench.report.paper.markdown import escaped
from moebench.report.sheets import FORMATS, Sheet, write_sheet
from moebench.statistics import Interval

RECORDS = Path(__file__).parent / "quality.jsonl"
PAGE = Path(__file__).parent / "README.md"
FILES = "leaderboard"  # beside the page, which has the table as Markdown
TEXT = "moebench.data.text.Text"
HEAD = (
    *("rank", "router", "validation loss (nats)", "difference to dense", "n"),
    *("parameters", "FLOPs a token"),
)
FULL_HEAD = (
    *("rank_first", "rank_last", "router", "n", "valid_loss", "valid_loss_low", "valid_loss_high"),
    *("difference", "difference_low", "difference_high", "params_total", "flops_per_token"),
)
ALIGN = "llrrrrr"


def sheet(ranked: Sequence[Place]) -> Sheet:
    """Return the table, one row an entry."""
    return Sheet(
        head=HEAD,
        rows=[_cells(place) for place in ranked],
        align=ALIGN,
        full_head=FULL_HEAD,
        full_rows=[_figures(place) for place in ranked],
    )


def _cells(place: Place) -> tuple[str, ...]:
    """Return the cells of an entry, by `HEAD`."""
    if not place.runs:
        return (place.rank, place.name, "no run finished", "", "0", "–", "–")
    return (
        place.rank,
        place.name,
        interval(place.loss),
        "" if place.name == DENSE else interval(place.gap, "+"),
        str(place.loss.n),
        scaled(mean_cost(place.runs, "params_total")),
        scaled(mean_cost(place.runs, FLOPS)),
    )


def _figures(place: Place) -> list[object]:
    """Return all digits of an entry, by `FULL_HEAD`; None for what is not known."""
    gap = (None, None, None) if place.name == DENSE else _ends(place.gap)
    costs = [
        mean_cost(place.runs, cost) if place.runs else None for cost in ("params_total", FLOPS)
    ]
    ranks = (place.first or None, place.last or None)
    return [*ranks, place.name, place.loss.n, *_ends(place.loss), *gap, *costs]


def _ends(found: Interval) -> tuple[float | None, ...]:
    """Return estimate, low and high; None for what is not known."""
    ends = (found.low, found.high) if found.n > 1 else (None, None)
    return (found.estimate if found.n else None, *ends)


def text(runs: Runs, form: str = "") -> str:
    """Return the first words and the table for a terminal.

    Args:
        runs: of all entries.
        form: csv, markdown or latex, for the table alone as another program reads it.
    """
    ranked = places(runs)
    if form:
        return FORMATS[form](sheet(ranked)).rstrip()
    lines = [line for told in opening(ranked) for line in columns.wrapped(told)]
    return "\n".join([*lines, "", *columns.table(HEAD, sheet(ranked).rows, ALIGN, keys=2)])


def publish(runs: Runs) -> None:
    """Make the runs the committed ones, and write page and files from them."""
    write_all([replace(run, arm=name) for name, of in runs.items() for run in of], RECORDS)
    refill()


def refill() -> None:
    """Write page and files anew from the committed runs."""
    records = read(RECORDS)
    PAGE.write_text(with_leaderboard(PAGE.read_text(), records))
    write_sheet(sheet(places(by_entry(records))), PAGE.parent, FILES, ("csv", "latex"))


def by_entry(records: Sequence[RunRecord]) -> Runs:
    """Return entry -> its records."""
    runs: dict[str, list[RunRecord]] = {}
    for record in records:
        runs.setdefault(record.arm, []).append(record)
    return runs


def with_leaderboard(page: str, records: Sequence[RunRecord]) -> str:
    """Return README.md with the first words and the table of these records."""
    ranked = places(by_entry(records))
    lead = (
        f"{len(ranked)} models on the default text. A rank is a range where the differences to "
        "others, paired by seed, are not all clear (Holm's rule over all pairs); none has what "
        f"differs from the dense model by more than {EQUAL[FLOPS]:.0%} in FLOPs as measured."
    )
    if older := outdated_of(records, lambda _: TEXT):
        lead += f" **{older}**"
    found = escaped(" ".join(opening(ranked)))
    return fill(page, "quality", f"{found}\n\n{lead}\n\n{sheet(ranked).markdown()}")


@one_line
def main() -> None:
    """Write page and files anew, or print the table in another form."""
    made = parser("benchmarks.leaderboard", __doc__.splitlines()[0])
    made.add_argument("--format", choices=FORMS, default="", help="print the table alone")
    form = made.parse_args().format
    if form:
        print(text(by_entry(read(RECORDS)), form))
    else:
        refill()


if __name__ == "__main__":
    main()
