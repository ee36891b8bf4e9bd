"""Claims about a quantity against the size of the arms."""

from math import log2

import pytest

from moebench.testing.verdicts import NOISE, findings_of, runs
from moebench.verdict.conditions import Condition
from moebench.verdict.findings import Findings
from moebench.verdict.slopes import Slope

SIZES = {"four": 4, "eight": 8, "sixteen": 16}


def judged(test: Slope, **losses: list[float]) -> Condition:
    return found(test, **losses).lead


def found(test: Slope, **losses: list[float]) -> Findings:
    return findings_of(test, runs(**losses))


def falling(by: float) -> dict[str, list[float]]:
    """Five seeds per size, lower by a fixed amount per doubling; arms do not share noise."""
    return {
        arm: [5 - by * log2(size) + NOISE[(seed + shift) % 5] for seed in range(5)]
        for shift, (arm, size) in enumerate(SIZES.items())
    }


def test_a_slope_by_hand() -> None:
    # Slopes of three points a doubling apart are half of last less first: -1, -2 and -3.
    rows = {"four": [6.0, 6, 6], "eight": [9.0, 0, 3], "sixteen": [4.0, 2, 0]}
    lead = judged(Slope(sizes=SIZES), **rows)
    assert lead.effect.estimate == pytest.approx(-2)
    assert lead.effect.low == pytest.approx(-2 - 4.302653 / 3**0.5, abs=1e-6)
    assert lead.says == "valid/loss falls with the size, four to sixteen"


@pytest.mark.parametrize(
    ("by", "direction", "state"),
    [
        (0.1, "lower", "holds"),
        (-0.1, "lower", "refuted"),
        (-0.1, "higher", "holds"),
        (0.02, "lower", "refuted"),  # there, but below the margin
        (0.0, "lower", "refuted"),
    ],
)
def test_a_slope_is_compared_with_the_margin(by: float, direction: str, state: str) -> None:
    lead = judged(Slope(sizes=SIZES, direction=direction, margin=0.05), **falling(by))
    assert lead.state == state
    assert lead.effect.estimate == pytest.approx(-by, abs=0.005)


def test_a_line_that_falls_only_in_its_first_step() -> None:
    rows = {**falling(0.2), "sixteen": falling(0.2)["eight"]}
    [side] = found(Slope(sizes=SIZES, margin=0.05), **rows).sides
    assert judged(Slope(sizes=SIZES, margin=0.05), **rows).state == "holds"
    assert (side.state, side.effect.estimate) == ("refuted", 0.0)
    assert "eight to sixteen" in side.says
    [side] = found(Slope(sizes=SIZES, margin=0.05), **falling(0.2)).sides
    assert side.state == "holds"


def test_steps_are_per_doubling() -> None:
    wide = {"four": 4, "sixteen": 16, "thirty-two": 32}
    rows = {"four": [3.0, 3.2], "sixteen": [2.0, 2.3], "thirty-two": [0.0, 0.3]}
    [side] = found(Slope(sizes=wide), **rows).sides
    assert side.effect.estimate == pytest.approx(-0.475)  # of the first, the least sure
    assert not found(Slope(sizes={"four": 4, "eight": 8}), **falling(0.2)).sides


def test_without_common_seeds_it_is_open() -> None:
    assert judged(Slope(sizes=SIZES), four=[3.0], eight=[2.0], sixteen=[1.0]).state == "open"
    assert judged(Slope(sizes=SIZES), four=[3.0]).effect.n == 0


@pytest.mark.parametrize("sizes", [{"four": 4}, {"four": 4, "other": 4}, {"a": 0, "b": 2}])
def test_invalid_sizes_are_refused(sizes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="sizes="):
        Slope(sizes=sizes)
