"""Claims that follow, or do not, from a computation."""

from typing import Any

import pytest

from moebench.claims import Word
from moebench.testing.claims import run, verdict_of
from moebench.verdict import Verdict
from moebench.verdict.exact import Exact


def computed(metrics: dict[str, float], **stated: Any) -> Verdict:
    """The verdict on one computed record."""
    return verdict_of(Exact(arm="a", unit="", **stated), [run("a", metrics=metrics)], seeds=1)


def test_values_that_are_as_stated_but_for_rounding() -> None:
    right = {"x": 0.1 + 0.2, "y": 1.0}
    found = computed(right, equals={"x": 0.3}, at_least={"y": 1}, at_most={"y": 1})
    assert (found.verdict, found.p, found.preliminary) == (Word.REPRODUCED, None, False)
    assert computed({"y": 2.0}, at_least={"y": 1.0}).verdict is Word.REPRODUCED
    assert computed({"y": 0.5}, at_most={"y": 1.0}).verdict is Word.REPRODUCED


@pytest.mark.parametrize("stated", [{"equals": {"x": 0.3}}, {"at_least": {"x": 0.5}}])
def test_values_that_are_not(stated: dict[str, Any]) -> None:
    found = computed({"x": 0.4}, **stated)
    assert (found.verdict, found.effect) == (Word.NOT_REPRODUCED, 0.4)


def test_the_value_that_is_farthest_off_is_shown_whatever_the_order() -> None:
    found = computed({"x": 0.9, "y": 0.4, "z": 0.8}, at_least={"x": 1, "y": 1, "z": 1})
    assert found.effect == 0.4
    assert "(refuted by: y is 0.4, stated at least 1): refuted, 0.4." in found.why


def test_a_tolerance_allows_what_the_paper_rounded() -> None:
    stated = {"equals": {"x": 1.4}}
    assert computed({"x": 1.44}, **stated).verdict is Word.NOT_REPRODUCED
    assert computed({"x": 1.44}, **stated, tolerance=0.05).verdict is Word.REPRODUCED


def test_a_value_that_was_not_computed_decides_nothing() -> None:
    found = computed({"y": 2.0}, equals={"z": 1.0})
    assert found.verdict is Word.INCONCLUSIVE
    assert "not in the computed record" in found.why


def test_nothing_stated_is_refused() -> None:
    with pytest.raises(ValueError, match="arm=a: nothing is stated of it"):
        Exact(arm="a")
