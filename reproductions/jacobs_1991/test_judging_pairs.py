"""Claims that compare two systems, on constructed runs with an obvious answer."""

from dataclasses import replace
from typing import Any

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import states, verdict_of
from moebench.verdict import Verdict
from reproductions.jacobs_1991.judging import FewerEpochs, Pair, Steadier, TwoMeans
from reproductions.jacobs_1991.testing import AB, AT_5, runs


@pytest.mark.parametrize(
    ("mean", "spread", "state"),
    [
        (700.0, 20.0, "holds"),
        (850.0, 20.0, "refuted"),  # fewer, but more than 0.75 times as many
        (1200.0, 20.0, "refuted"),
        (720.0, 900.0, "open"),
    ],
)
def test_a_ratio_is_compared_with_the_factor(mean: float, spread: float, state: str) -> None:
    records = runs("a", {5.0: mean}, spread) + runs("b", {5.0: 1000.0})
    assert states(verdict_of(FewerEpochs(under=AB, factor=0.75, **AT_5), records)) == [state]


def test_controls_of_one_system_against_itself() -> None:
    records = runs("a", {2.0: 1000.0, 5.0: 400.0})
    itself = {"": (Pair("a", "a"),)}
    none = verdict_of(FewerEpochs(under=itself, factor=0.75, **AT_5), records)
    assert (none.verdict, none.n) == (VerdictLabel.NOT_REPRODUCED, 12), "13 runs against 12"
    assert none.effect == pytest.approx(1.0, abs=0.02)
    faster = verdict_of(FewerEpochs(under=itself, factor=0.75, second_at=2.0, **AT_5), records)
    assert (faster.verdict, faster.n) == (VerdictLabel.REPRODUCED, 25)
    assert faster.effect == pytest.approx(0.4, abs=0.01)


def test_steadier() -> None:
    records = runs("a", spread=5.0) + runs("b", spread=50.0) + runs("c", spread=50.0)

    def found(first: str, second: str) -> Verdict:
        return verdict_of(Steadier(under={"": (Pair(first, second),)}, **AT_5), records)

    assert found("a", "b").verdict is VerdictLabel.REPRODUCED
    assert found("b", "a").verdict is VerdictLabel.NOT_REPRODUCED
    assert found("b", "c").verdict is VerdictLabel.INCONCLUSIVE
    assert found("a", "b").effect == pytest.approx(0.1, rel=0.05)


def test_one_slow_run_is_not_a_larger_spread() -> None:
    late = [
        replace(one, metrics={**one.metrics, "step_5/epochs": 9000.0}) if one.seed == 1003 else one
        for one in runs("a", spread=5.0)
    ]
    test = Steadier(under=AB, **AT_5)
    assert verdict_of(test, [*late, *runs("b", spread=50.0)]).verdict is VerdictLabel.INCONCLUSIVE


def test_two_means_with_a_margin() -> None:
    records = [*runs("a", **{"accuracy/test": 0.95}), *runs("b", **{"accuracy/test": 0.90})]

    def found(**more: Any) -> Verdict:
        test = TwoMeans(quantity="accuracy/test", **{"under": AB, **AT_5, **more})
        return verdict_of(test, records)

    higher = found()
    assert (states(higher), higher.verdict) == (["holds"], VerdictLabel.REPRODUCED)
    assert higher.effect == pytest.approx(0.05, abs=1e-3)
    assert found(direction="lower").verdict is VerdictLabel.NOT_REPRODUCED
    assert found(margin=0.04).verdict is VerdictLabel.REPRODUCED
    assert found(margin=0.06).verdict is VerdictLabel.NOT_REPRODUCED
    own = found(margin=0.04, under={"": (Pair("a", "b", 0.06),)})
    assert own.verdict is VerdictLabel.NOT_REPRODUCED, "the margin of the pair, not of the test"
    assert own.effect == pytest.approx(0.05, abs=1e-3), "the difference, not the excess"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"factor": 1.5}, "factor=1.5"),
        ({"second_at": 7.0}, "second_at=7.0"),
        ({"under": {"": (Pair("a", "b", 0.1),)}}, "has a margin"),
    ],
)
def test_invalid_fields_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FewerEpochs(**{"under": AB, **fields})
