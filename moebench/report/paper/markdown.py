"""Blocks of Markdown, which a README holds between two markers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import groupby

from moebench.evidence.record import RunRecord
from moebench.papers.claim import JUDGED, NOT_JUDGED, OF_CONTROLS, VerdictLabel
from moebench.papers.plan import PaperTable
from moebench.report import formatting
from moebench.report.paper.costs import HEAD, NO_COSTS, cost_rows
from moebench.report.paper.drawing import FigureFile
from moebench.verdict import Verdict
from moebench.verdict.marks import footnote, marked
from moebench.verdict.remarks import BESIDE, Footnotes, few_values_note, printed_p, remarks

COLUMNS = ("claim", "verdict", "statement", "paper", "effect [95% interval]", "n", "p", "beside it")
ADJUSTED = "adjusted p"  # in place of p
FIGURE_WIDTH = 410  # pixels
NO_FIGURES = "No effect here has an interval, so there is nothing to draw."


def markdown_table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as tables: the statements of the paper, then controls and additions.

    One row per claim, with the paper's figures, ours, and remarks.
    """
    notes = Footnotes()
    ours = [verdict for verdict in verdicts if verdict.of_paper]
    others = [verdict for verdict in verdicts if not verdict.of_paper]
    parts = [_verdicts(ours, ADJUSTED, notes)] if ours else []
    parts += [BESIDE, _verdicts(others, "p", notes)] if others else []
    if any(verdict.preliminary for verdict in verdicts):
        parts.append("\\* preliminary: fewer runs than the claim asks for.")
    if few := few_values_note(verdicts):
        parts.append(f"{few}.")
    parts += ["  \n".join(escaped(line) for line in notes.lines)] if notes.lines else []
    return _with_note(
        "\n\n".join(parts), footnote(leak for one in verdicts for leak in one.leaks.values())
    )


def _verdicts(verdicts: Sequence[Verdict], p: str, notes: Footnotes) -> str:
    """Return one table of verdicts."""
    head = [p if column == "p" else column for column in COLUMNS]
    return table(head, [_row(verdict, notes) for verdict in verdicts], "llllrrrl")


def markdown_counts(papers: Mapping[str, tuple[str, Sequence[Verdict]]]) -> str:
    """Return how many statements of each paper got which verdict: one row a paper.

    Args:
        papers: Markdown that names a paper -> its short name, and its verdicts.
    """
    words = [f"{formatting.SHAPES[word]} {word}" for word in JUDGED]
    rows = []
    for title, (name, verdicts) in papers.items():
        count = _counted(one for one in verdicts if one.of_paper)
        judged = [count[word] for word in JUDGED]
        rows.append([title, f"`{name}`", *map(str, [*judged, count.total() - sum(judged)])])
    head = ["paper", "name", *words, f"{formatting.SHAPES[VerdictLabel.NOT_TESTABLE]} not judged"]
    return _lines(head, rows, "ll" + "r" * (len(head) - 2))


def told_counts(verdicts: Sequence[Verdict]) -> str:
    """Return in a line how many statements got which verdict; controls and additions apart."""
    controls = [one for one in verdicts if one.control_of]
    ours = [one for one in verdicts if not one.of_paper and not one.control_of]
    parts = {
        "Statements of the paper": _apart(
            [one for one in verdicts if one.of_paper], [*JUDGED, *NOT_JUDGED]
        ),
        "Controls": _apart(controls, OF_CONTROLS),
        "Claims of our own": _apart(ours, JUDGED),
    }
    return " ".join(f"{what}: {told}." for what, told in parts.items() if told)


def _counted(verdicts: Iterable[Verdict]) -> Counter[VerdictLabel]:
    """Return word -> number of verdicts."""
    return Counter(verdict.verdict for verdict in verdicts)


def _apart(verdicts: Sequence[Verdict], words: Sequence[VerdictLabel]) -> str:
    """Return the counts of verdicts of one kind: `1 passed, 1 not judged`."""
    count = _counted(verdicts)
    left = len(verdicts) - sum(count[word] for word in words)
    told = [f"{count[word]} {word.removeprefix('control ')}" for word in words if count[word]]
    return ", ".join([*told, *([f"{left} not judged"] if left else [])])


def markdown_reasons(verdicts: Sequence[Verdict]) -> str:
    """Return what decided each verdict, one sentence a claim, with its conditions in numbers."""
    return "\n".join(f"* **{verdict.claim}** {escaped(verdict.why)}" for verdict in verdicts)


def markdown_story(story: Mapping[str, str]) -> str:
    """Return the sentences about a claim as a paragraph, each after what it tells."""
    return " ".join(f"**{told}.** {escaped(sentence)}" for told, sentence in story.items())


def markdown_figures(figures: Sequence[FigureFile]) -> str:
    """Return figures as wide as a phone, so two of them are side by side on a wide page.

    Those of one caption stand above it.
    """
    parts = []
    for caption, found in groupby(figures, lambda figure: figure.caption):
        parts.append("\n".join(map(_image, found)))
        parts.append(caption)
    return "\n\n".join(parts) or NO_FIGURES


def _image(figure: FigureFile) -> str:
    """Return an image; Markdown's own has no width."""
    told = escape(figure.told)
    return f'<img src="{figure.name}" width="{FIGURE_WIDTH}" align="top" alt="{told}">'


def markdown_costs(records: Iterable[RunRecord]) -> str:
    """Return the costs as a table: one row an arm, means over its finished runs.

    Where no arm has a row a line says why.
    """
    listed = list(records)
    rows = cost_rows(listed)
    if not rows:
        return NO_COSTS
    text = table(HEAD, rows, "l" + "r" * (len(HEAD) - 1))
    return _with_note(text, footnote(record.leaks for record in listed))


def markdown_paper_table(paper: PaperTable) -> str:
    """Return a table of the paper with its title and caption."""
    rows = table(paper.head, paper.rows, "l" + "r" * (len(paper.head) - 1))
    return f"**{paper.title}.** {paper.caption}\n\n{rows}"


def fill(text: str, name: str, block: str) -> str:
    """Return the text with the block between `<!-- begin:name -->` and `<!-- end:name -->`.

    Raises:
        ValueError: naming the marker that is missing, is there twice, or stands before the other.
    """
    begin, end = f"<!-- begin:{name} -->", f"<!-- end:{name} -->"
    for marker in (begin, end):
        if text.count(marker) != 1:
            raise ValueError(f"{marker}: expected once in the text, found {text.count(marker)}")
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{end}: expected after {begin}")
    return f"{before}{begin}\n{block.strip()}\n{end}{after}"


def _with_note(text: str, note: str) -> str:
    """Return a table, and under it a footnote if there is one."""
    return f"{text}\n\n{escaped(note)}." if note else text


def _row(verdict: Verdict, notes: Footnotes) -> tuple[str, ...]:
    """Return the cells of a verdict."""
    effect, interval = formatting.effect(verdict)
    measured = " ".join(part for part in (effect, interval, verdict.unit) if part)
    figures = formatting.figures(verdict.paper_values)
    shape = formatting.SHAPES[verdict.verdict]
    return (
        marked(verdict.claim, *verdict.leaks.values()),
        f"{shape} {verdict.verdict}" + ("*" if verdict.preliminary else ""),
        verdict.says,
        "; ".join([verdict.source, *(" ".join(pair) for pair in figures)]),
        measured if effect else "",
        str(verdict.n) if effect else "",
        formatting.p_value(printed_p(verdict)),
        "; ".join(remarks(verdict, notes)),
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """Return a table; `align` has a letter a column, l or r."""
    return _lines(head, [[escaped(cell) for cell in row] for row in rows], align)


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    """Return a table of cells that are Markdown already."""
    rule = ["---:" if letter == "r" else "---" for letter in align]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def escaped(cell: str) -> str:
    """Return text in one line that cannot end a column or become markup."""
    text = " ".join(cell.split())
    for sign in "\\|*_`<>[]":
        text = text.replace(sign, f"\\{sign}")
    return text
