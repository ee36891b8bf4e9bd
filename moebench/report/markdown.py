"""Blocks of Markdown that a README takes in between two markers."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from moebench.plan import PaperTable
from moebench.records import RunRecord
from moebench.report import wording
from moebench.report.costs import HEAD, cost_rows
from moebench.verdict import Verdict
from moebench.verdict.marks import footnote, marked


def markdown_table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as a table: one row a claim, with the paper's figures and ours."""
    head = ("claim", "verdict", "statement", "paper", "effect [95% interval]", "n", "adjusted p")
    text = table(head, [_row(verdict) for verdict in verdicts], "llllrrr")
    if any(verdict.preliminary for verdict in verdicts):
        text += "\n\n\\* preliminary: fewer seeds than the claim asks for."
    return _with_note(text, footnote(leak for one in verdicts for leak in one.leaks.values()))


def markdown_counts(papers: Mapping[str, Sequence[Verdict]]) -> str:
    """Return how many claims got which verdict: one row a paper, by its link."""
    head = ["paper", "claims", *(f"{shape} {word}" for word, shape in wording.SHAPES.items())]
    rows = []
    for link, verdicts in papers.items():
        words = Counter(verdict.verdict for verdict in verdicts)
        counts = [str(words[word]) for word in wording.SHAPES]
        rows.append([link, str(len(verdicts)), *counts])
    return _lines(head, rows, "l" + "r" * (len(head) - 1))


def markdown_reasons(verdicts: Sequence[Verdict]) -> str:
    """Return what decided each verdict, one sentence a claim, with its conditions in numbers."""
    return "\n".join(f"* **{verdict.claim}** {escaped(verdict.why)}" for verdict in verdicts)


def markdown_costs(records: Iterable[RunRecord]) -> str:
    """Return the costs as a table: one row an arm, means over its finished runs."""
    listed = list(records)
    text = table(HEAD, cost_rows(listed), "l" + "r" * (len(HEAD) - 1))
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


def _row(verdict: Verdict) -> tuple[str, ...]:
    """Return the cells of a verdict."""
    effect, interval = wording.effect(verdict)
    measured = " ".join(part for part in (effect, interval, verdict.unit) if part)
    figures = wording.figures(verdict.paper_values)
    shape = wording.SHAPES[verdict.verdict]
    return (
        marked(verdict.claim, *verdict.leaks.values()),
        f"{shape} {verdict.verdict}" + ("*" if verdict.preliminary else ""),
        verdict.says,
        "; ".join([verdict.source, *(" ".join(pair) for pair in figures)]),
        measured if effect else "",
        str(verdict.n) if effect else "",
        wording.p_value(verdict.p_adjusted),
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
