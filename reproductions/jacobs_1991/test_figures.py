"""What figures say lies beside the points, not over them."""

import pytest
from markupsafe import Markup
from matplotlib.figure import Figure

from reproductions.jacobs_1991 import figures


def test_vowels_are_named_beside_the_points(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []

    def kept(figure: Figure, label: str) -> Markup:
        figure.draw_without_rendering()
        drawn.append(figure)
        return Markup(label)

    monkeypatch.setattr(figures, "element", kept)
    figures._lines()
    [axes] = drawn[0].axes
    names = axes.get_legend()
    assert [text.get_text() for text in names.get_texts()] == list(figures.NAMES)
    assert names.get_window_extent().y0 >= axes.get_window_extent().y1
    assert not axes.texts
