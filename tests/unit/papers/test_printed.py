"""Printed numbers, and counts that do and do not round to them."""

import pytest

from moebench.papers.printed import units_off, value_and_unit


@pytest.mark.parametrize(
    ("printed", "value", "unit"),
    [
        ("96.6B", 96.6e9, 1e8),
        ("1.2T", 1.2e12, 1e11),
        ("1.700B", 1.7e9, 1e6),
        ("600B", 6e11, 1e11),
        ("130M", 1.3e8, 1e7),
        ("36684", 36684.0, 1.0),
        ("0", 0.0, 1.0),
    ],
)
def test_a_printed_number_has_a_value_and_a_last_digit(
    printed: str, value: float, unit: float
) -> None:
    assert value_and_unit(printed) == pytest.approx((value, unit))


def test_up_to_half_a_unit_is_rounding() -> None:
    assert units_off(96.59e9, "96.6B") == pytest.approx(0.1)
    assert units_off(14.0e9, "20B") == pytest.approx(0.6)
    assert units_off(649e9, "600B") < 0.5 < units_off(651e9, "600B")
    assert units_off(548e9, "600B") > 0.5


@pytest.mark.parametrize("printed", ["", "1.2X", "about 3B", "-1B", "1,000"])
def test_what_is_no_printed_number_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match=f"printed={printed}: must be a number"):
        units_off(1.0, printed)
