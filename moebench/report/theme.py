"""How a figure looks: matplotlib draws in stand-in colours, which the page replaces by its own.

A figure becomes an `<svg>` element whose colours are CSS variables and whose text takes the font of
the page, so it follows a light or a dark theme. Equal figures give equal text.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from moebench.report.style import colors

COLORS = 9  # of arms
WIDTH = 384.0  # points; a phone has as many pixels beside its margins, and so shows text unshrunk
EDGE = 6.0  # points around a figure in a file of its own
PIXELS = 4 / 3  # in a point
SMALL = 10.5  # points; of text beside the labels of axes, and the least that a phone can show
VARIABLES = (
    *("page", "ink", "faint", "rule", *(f"arm-{index}" for index in range(COLORS))),
    *("reproduced", "partial", "not-reproduced", "inconclusive"),
)
# Variable of the page's style -> the stand-in that matplotlib draws with.
STAND_INS = {name: f"#fe00{index:02x}" for index, name in enumerate(VARIABLES)}
DASHES = ((), (5.0, 2.0), (1.5, 1.5))  # in widths of the line
LINE_WIDTH = 1.6  # points
BESIDE = 18  # letters of names of which a legend has two in a line
# The ground of a text that lines may run behind.
ON_PAGE: dict[str, Any] = {
    "facecolor": STAND_INS["page"],
    "edgecolor": "none",
    "alpha": 0.75,
    "pad": 1.0,
}
STYLE: dict[Any, Any] = {  # matplotlib types every key as a literal
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.size": 11,
    "axes.titlesize": 11,
    "text.color": STAND_INS["ink"],
    "axes.labelcolor": STAND_INS["faint"],
    "axes.edgecolor": STAND_INS["rule"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": STAND_INS["rule"],
    "grid.linewidth": 0.6,
    "xtick.color": STAND_INS["rule"],
    "ytick.color": STAND_INS["rule"],
    "xtick.labelcolor": STAND_INS["faint"],
    "ytick.labelcolor": STAND_INS["faint"],
    "lines.linewidth": LINE_WIDTH,
}


@dataclass(frozen=True)
class Stroke:
    """The line of an arm, the same in all figures: 9 colours, then the same dashed and dotted."""

    index: int  # place of the arm among all

    @property
    def variable(self) -> str:
        """The CSS variable of the colour."""
        return f"arm-{self.index % COLORS}"

    @property
    def color(self) -> str:
        """The stand-in colour."""
        return STAND_INS[self.variable]

    @property
    def dashes(self) -> tuple[float, ...]:
        """Lengths of dash and gap in widths of the line, empty for a solid one."""
        return DASHES[self.index // COLORS % len(DASHES)]

    @property
    def dash_array(self) -> str:
        """The dashes as SVG writes them, in points."""
        return " ".join(f"{length * LINE_WIDTH:g}" for length in self.dashes) or "none"


@contextmanager
def drawing(name: str) -> Iterator[None]:
    """Set matplotlib up regardless of the user's defaults, which are restored afterwards.

    Args:
        name: of the figure; makes its element ids differ from those of others on the page.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**STYLE, "svg.hashsalt": name})
        yield


def canvas(height: float) -> Figure:
    """Return an empty figure of the page's width and this height in points."""
    return Figure(figsize=(WIDTH / 72, height / 72), layout="constrained")


def element(figure: Figure, label: str) -> Markup:
    """Return a figure as an `<svg>` element.

    Args:
        figure: drawn inside `drawing`.
        label: what a screen reader says.
    """
    buffer = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :].strip()
    text = re.sub(r' id="[\w.]+_\d+"', "", text)  # names of groups, the same in every figure
    text = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font-size: \1", text)
    text = re.sub(r" ?font-family: [^;\"]*;?", "", text)
    for name, color in STAND_INS.items():
        text = text.replace(color, f"var(--{name})")
    box = re.search(r'viewBox="[^"]*"', text)
    head = f'<svg {box[0] if box else ""} role="img" aria-label="{escape(label)}">'
    return Markup(head + text[text.index(">") + 1 :])


def standalone(svg: Markup) -> str:
    """Return an `<svg>` element, made by `element`, as a file of its own, in light colours."""
    text = str(svg)
    for name in VARIABLES:
        text = text.replace(f"var(--{name})", colors(name)[0])
    return _file(text, f'<rect width="100%" height="100%" fill="{colors("page")[0]}"/>')


def on_any_page(svg: Markup) -> str:
    """Return an `<svg>` element as a file that follows a light or a dark theme, on its own ground.

    The page around it may have no style, and does not have what the links in it lead to.
    """
    text = re.sub(r"</?a\b[^>]*>", "", str(svg))
    text = re.sub(r"\s+\n", "\n", text)
    used = [name for name in VARIABLES if name == "page" or f"var(--{name})" in text]
    light, dark = ("".join(f"--{name}:{colors(name)[place]};" for name in used) for place in (0, 1))
    rules = f"svg{{{light}}}@media (prefers-color-scheme:dark){{svg{{{dark}}}}}"
    width, height = map(float, re.findall(r'viewBox="0 0 (\S+) ([^"]+)"', text)[0])
    x, y, width, height = -EDGE, -EDGE, width + 2 * EDGE, height + 2 * EDGE
    size = f'width="{width * PIXELS:.0f}" height="{height * PIXELS:.0f}"'
    box = f'viewBox="{x:g} {y:g} {width:g} {height:g}" {size}'
    ground = f'<rect x="{x:g}" y="{y:g}" width="100%" height="100%" rx="6" fill="var(--page)"/>'
    return _file(re.sub(r'viewBox="[^"]*"', box, text, count=1), f"<style>{rules}</style>{ground}")


def _file(svg: str, ground: str) -> str:
    """Return an `<svg>` element with what a file of its own needs, and a ground below all else."""
    head, _, rest = svg.partition(">")
    spaces = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    style = f'{spaces} font-family="system-ui, sans-serif"'
    return f"{head.replace('<svg', '<svg' + style, 1)}>{ground}{rest}\n"


def whole_numbers(axis: Axis) -> None:
    """Put ticks of an axis at whole numbers only: there is no half step, layer, expert or trial."""
    axis.set_major_locator(MaxNLocator(integer=True))


def legend(axes: Axes, height: float = 1.0) -> None:
    """Put a legend above the data, at this share of the height, if any line has a name."""
    if names := axes.get_legend_handles_labels()[1]:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, height),
            ncols=2 if max(map(len, names)) <= BESIDE else 1,
            frameon=False,
            fontsize=SMALL,
            borderaxespad=0.2,
        )
