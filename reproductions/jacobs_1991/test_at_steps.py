"""What the paper leaves open is a choice; under each choice everything must be as claimed."""

from typing import Any

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import states, verdict_of
from reproductions.jacobs_1991.judging import FewerEpochs, Pair
from reproductions.jacobs_1991.testing import AB, AT_5, runs


def test_fewer_epochs_at_one_step_and_at_the_best_of_each() -> None:
    fast = runs("a", {2.0: 400.0, 5.0: 900.0})
    slow = runs("b", {2.0: 1000.0, 5.0: 800.0})
    test = FewerEpochs(under=AB, factor=0.75, grid=(2.0, 5.0), rules=("best", 5.0))
    found = verdict_of(test, fast + slow)
    # At its own best a takes 400 and b 800; at step 5 a takes 900 and b 800.
    assert states(found) == ["holds", "refuted"]
    assert [one["choice"] for one in found.conditions] == ["best step", "step 5"]
    assert found.verdict is VerdictLabel.PARTIAL
    assert found.effect == pytest.approx(0.5, abs=0.02), "that of the choice under which it holds"
    assert found.n == 25
    assert found.measured["a"]["best: step"] == 2.0
    assert found.measured["b"]["best: step"] == 5.0


def test_all_pairs_of_a_choice_must_be_as_claimed() -> None:
    records = runs("a") + runs("b", {5.0: 900.0}) + runs("c", {5.0: 190.0})
    both = {"": (Pair("a", "b"), Pair("a", "c"))}
    found = verdict_of(FewerEpochs(under=both, **AT_5), records)
    assert found.verdict is VerdictLabel.NOT_REPRODUCED
    assert "a against c" in found.why
    assert verdict_of(FewerEpochs(under=AB, **AT_5), records).verdict is VerdictLabel.REPRODUCED


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"under": {}}, "needs a choice"),
        ({"under": {"x": ()}}, "each choice needs a pair"),
        ({"rules": (7.0,)}, "7.0 is neither best nor in the grid"),
    ],
)
def test_claims_without_anything_to_judge_are_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        FewerEpochs(**{"under": AB, **fields})
