"""One picture of all papers: a mark for every statement of each, by the verdict on it.

A file of its own, for readers of a page that has no style: it follows a light or a dark theme, and
has a ground in case the page around it does not.
"""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from markupsafe import escape

from moebench.papers.claim import JUDGED, VerdictLabel
from moebench.report.style import colors
from moebench.verdict import Verdict

ROW, CELL, LEFT, MARGIN = 28, 18, 150, 22  # pixels
LEGEND = 54  # height of the legend and what is below it
NARROW, WIDE = 4.0, 7.8  # letters in the font below
NOT_JUDGED = "not judged"
MARKS = {  # each around the origin, in the colour of its word
    VerdictLabel.REPRODUCED: '<circle r="6.5" fill="currentColor"/>',
    VerdictLabel.PARTIAL: '<circle r="5.6"/><path d="M0-6a6 6 0 0 0 0 12z" fill="currentColor"/>',
    VerdictLabel.NOT_REPRODUCED: '<path d="M-5-5 5 5M-5 5 5-5"/>',
    VerdictLabel.INCONCLUSIVE: '<circle r="5.6"/>',
    NOT_JUDGED: '<path d="M-4 0h8"/>',
}
COLORS = {word: word.replace(" ", "-") for word in JUDGED} | {NOT_JUDGED: "faint"}


def picture(papers: Mapping[str, Sequence[Verdict]]) -> str:
    """Return the picture as SVG: one row a paper, by its short name."""
    words = {name: _words(verdicts) for name, verdicts in papers.items()}
    total = [word for found in words.values() for word in found]
    legend = [f"{total.count(word)} {word}" for word in MARKS]
    starts = list(accumulate((_width(text) + 40 for text in legend), initial=MARGIN))
    width = max(starts[-1], LEFT + CELL * max(map(len, words.values())) + MARGIN)
    height = LEGEND + ROW * len(papers) + MARGIN // 2
    size = f'viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape('; '.join(legend))}</title>",
        f"<style>{_style()}</style>",
        "<defs>",
        *(f'<g id="{COLORS[word]}">{mark}</g>' for word, mark in MARKS.items()),
        "</defs>",
        '<rect width="100%" height="100%" rx="6"/>',
    ]
    for word, text, start in zip(MARKS, legend, starts, strict=False):
        lines.append(_mark(word, start + 6, MARGIN))
        lines.append(f'<text x="{start + 20:.0f}" y="{MARGIN + 4}">{text}</text>')
    for row, (name, found) in enumerate(words.items()):
        y = LEGEND + ROW * row + ROW // 2
        lines.append(f'<text class="name" x="{LEFT - 18}" y="{y + 4}">{escape(name)}</text>')
        lines += [_mark(word, LEFT + CELL * place, y) for place, word in enumerate(found)]
    return "\n".join([*lines, "</svg>", ""])


def _width(text: str) -> float:
    """Return about how wide a text is."""
    return sum(NARROW if letter in "ijlt " else WIDE for letter in text)


def _words(verdicts: Sequence[Verdict]) -> list[str]:
    """Return the word on every statement of a paper, those of one kind side by side."""
    found = [
        one.verdict if one.verdict in JUDGED else NOT_JUDGED for one in verdicts if one.of_paper
    ]
    return sorted(found, key=list(MARKS).index)


def _mark(word: str, x: float, y: float) -> str:
    """Return a mark at its place."""
    return f'<use href="#{COLORS[word]}" class="{COLORS[word]}" x="{x:.0f}" y="{y:.0f}"/>'


def _style() -> str:
    """Return the rules: those of a light theme, then what a dark one changes."""
    light, dark = (_colors(place) for place in (0, 1))
    lines = "use{fill:none;stroke:currentColor;stroke-width:1.8}"
    texts = "text{font:13px system-ui,sans-serif}.name{text-anchor:end}"
    return f"{lines}{texts}{light}@media (prefers-color-scheme:dark){{{dark}}}"


def _colors(place: int) -> str:
    """Return the rules of colour: place 0 has the values of a light page, 1 those of a dark one."""
    values = {name: colors(name)[place] for name in ("page", "ink", *COLORS.values())}
    rules = [f"rect{{fill:{values['page']}}}text{{fill:{values['ink']}}}"]
    rules += [f".{name}{{color:{values[name]}}}" for name in COLORS.values()]
    return "".join(rules)
