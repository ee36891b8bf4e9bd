"""Lines in the plane of two formants, by hand."""

import numpy as np

from reproductions.jacobs_1991.lines import gate_line, place, span
from reproductions.jacobs_1991.vowels import Vowels


def test_two_experts_have_equal_shares_where_their_scores_are_equal() -> None:
    gate_ED = np.array([[1.0, 2.0, 3.0], [0.0, 5.0, 1.0], [4.0, 4.0, 4.0]])
    assert gate_line(gate_ED, 0, 1).tolist() == [1.0, -3.0, 2.0]


def test_where_a_line_leaves_a_box() -> None:
    box = ((0.0, 2.0), (0.0, 4.0))
    assert span(np.array([0.0, 1.0, -3.0]), box) == ([0.0, 2.0], [3.0, 3.0]), "y = 3"
    assert span(np.array([1.0, 0.0, -1.0]), box) == ([1.0, 1.0], [0.0, 4.0]), "x = 1"


def test_a_line_becomes_an_angle_and_a_distance_from_the_centre() -> None:
    x, y = Vowels(coding="aligned", order=1).train.x_TD.mean(dim=0).tolist()
    through = np.array([[0.0, 2.0, -2.0 * y], [-3.0, 0.0, 3.0 * x - 6.0]])
    np.testing.assert_allclose(place(through), [[90.0, 0.0], [180.0, -2.0]], atol=1e-12)
