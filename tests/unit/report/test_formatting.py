"""Numbers in words."""

from dataclasses import replace

import numpy as np
import pytest

from moebench.report import formatting

from .fakes import VERDICTS


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (0, "0"),
        (0.5, "0.500"),
        (999, "999"),
        (999.6, "1.00 k"),
        (1234, "1.23 k"),
        (123_456_789, "123 M"),
        (2e18, "2,000 P"),
    ],
)
def test_scaled(value: float, says: str) -> None:
    assert formatting.scaled(value) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [(0.04, "0.0400"), (0.09996, "0.100"), (-2, "−2.00"), (1234.5, "1,230"), (np.inf, "inf")],
)
def test_digits(value: float, says: str) -> None:
    assert formatting.digits(value) == says


@pytest.mark.parametrize(
    ("effect", "low", "high", "unit", "says"),
    [
        (-0.1234, -0.1502, -0.0968, "nats", ("−0.123", "[−0.150, −0.097]")),
        (0.00001, -0.5, 0.5, "nats", ("0.00", "[−0.50, +0.50]")),
        (1100.4, 1000.0, 1200.0, "epochs", ("+1,100", "[+1,000, +1,200]")),
        (1.42, 1.35, 1.49, "ratio of steps", ("1.420", "[1.350, 1.490]")),
        (0.0, 0.0, 0.0, "share", ("0", "")),
        (0.01234, None, None, "share", ("+0.0123", "")),
        (-3.52e-15, None, None, "deviation", ("−3.5e−15", "")),
        (2.0, 1.5, None, "ratio", ("2.00", "[1.50, ∞]")),
        (-2.0, None, -1.5, "nats", ("−2.00", "[−∞, −1.50]")),
        (None, None, None, "share", ("", "")),
    ],
)
def test_effect_and_interval_share_their_decimals(
    effect: float | None, low: float | None, high: float | None, unit: str, says: tuple[str, str]
) -> None:
    shown = replace(VERDICTS[0], effect=effect, low=low, high=high, unit=unit)
    assert formatting.effect(shown) == says


def test_p_and_durations() -> None:
    assert [formatting.p_value(p) for p in (None, 0.0, 0.0009, 0.0123, 1.0)] == [
        *("", "< 0.001", "< 0.001", "0.012", "1"),
    ]
    assert [formatting.duration(s) for s in (41.6, 150, 12_000)] == ["42 s", "2 min", "3 h 20 min"]
