"""Claims decided by a computation."""

import pytest

from moebench.testing.verdicts import findings_of, run
from moebench.verdict.exact import Exact
from moebench.verdict.findings import Findings


def judged(test: Exact, **metrics: float) -> Findings:
    """Judge one computed record of the arm `a`."""
    return findings_of(test, [run("a", metrics=metrics)])


@pytest.mark.parametrize(
    ("test", "found", "state"),
    [
        (Exact(arm="a", equals={"x": 0.3}), 0.1 + 0.2, "holds"),
        (Exact(arm="a", equals={"x": 0.3}), 0.4, "refuted"),
        (Exact(arm="a", equals={"x": 0.3}, tolerance=0.2), 0.4, "holds"),
        (Exact(arm="a", at_least={"x": 1.0}), 1.0, "holds"),
        (Exact(arm="a", at_least={"x": 1.0}), 0.875, "refuted"),
        (Exact(arm="a", at_most={"x": 1.0}), 0.875, "holds"),
        (Exact(arm="a", at_most={"x": 1.0}), 1.125, "refuted"),
    ],
)
def test_values_are_compared_with_the_stated_ones(test: Exact, found: float, state: str) -> None:
    lead = judged(test, x=found).lead
    assert (lead.state, lead.p, lead.p_refuted) == (state, None, None)
    assert lead.effect.estimate == lead.effect.low == lead.effect.high == found
    assert lead.effect.method == "exact"


def test_found_and_stated_values_are_printed() -> None:
    assert judged(Exact(arm="a", equals={"x": 1}), x=0.4).lead.says == "x is 0.4, stated 1"
    rounded = Exact(arm="a", equals={"x": 24.0}, tolerance=0.5)
    assert judged(rounded, x=24.2).lead.says == "x is 24.2, stated 24 ± 0.5"
    least = Exact(arm="a", at_least={"x": 2}, at_most={"y": 3})
    assert (
        judged(least, x=4, y=1).lead.says == "x is 4, stated at least 2; y is 1, stated at most 3"
    )


def test_wrong_values_are_named() -> None:
    lead = judged(Exact(arm="a", equals={"x": 1, "y": 2, "z": 3}), x=1, y=5, z=7).lead
    assert lead.state == "refuted"
    said = "2 of 3 values are not as stated: y is 5, stated 2; z is 7, stated 3"
    assert lead.says == said
    assert lead.effect.estimate in (5, 7)


def test_a_missing_value_leaves_the_claim_open() -> None:
    lead = judged(Exact(arm="a", equals={"x": 1, "y": 2}), x=1).lead
    assert (lead.state, lead.remark) == ("open", "not in the computed record")
    assert lead.says == "1 of 2 values are not as stated: y is missing"
    assert judged(Exact(arm="a", equals={"x": 1, "y": 2}), x=9).lead.state == "refuted"


def test_the_first_stated_metric_is_printed() -> None:
    assert Exact(arm="a", at_least={"x": 1}, at_most={"y": 2}).metric == "x"
    assert Exact(arm="a", at_least={"x": 1, "y": 2}, metric="y").metric == "y"
    assert Exact(arm="a", equals={"x": 1}).pairs == []


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(ValueError, match="arm=a: nothing is stated about it"):
        Exact(arm="a")
    with pytest.raises(ValueError, match=r"margin=0\.1, tolerance=1e-09: takes no margin"):
        Exact(arm="a", equals={"x": 1}, margin=0.1)
    with pytest.raises(ValueError, match="tolerance=-1"):
        Exact(arm="a", equals={"x": 1}, tolerance=-1)


def test_the_requested_metric_is_printed() -> None:
    test = Exact(arm="a", equals={"deviation": 0.0}, at_least={"coupling": 0.1}, metric="coupling")
    lead = judged(test, deviation=0.0, coupling=0.46).lead
    assert (lead.state, lead.effect.estimate) == ("holds", 0.46)
    with pytest.raises(ValueError, match="metric=z: nothing is stated about it"):
        Exact(arm="a", equals={"x": 1}, metric="z")
