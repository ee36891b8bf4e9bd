"""The comparison on the robot arm: every system runs, and diverging steps are not chosen."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from reproductions.jordan_1994 import hierarchical
from reproductions.jordan_1994.paper import CLAIMS


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    short = {
        name: replace(
            budget,
            epochs=2 * budget.every,
            steps=(*budget.steps[:1], 1e9) if budget.steps else (),
            search_epochs=3,
        )
        for name, budget in hierarchical.BUDGETS.items()
    }
    monkeypatch.setattr(hierarchical, "BUDGETS", short)
    monkeypatch.setattr(hierarchical, "SEEDS", range(2))
    monkeypatch.setattr(hierarchical, "TRAIN_CASES", 60)
    caches = (hierarchical._cases, hierarchical._linear_error)
    for of in caches:
        of.cache_clear()
    yield
    for of in caches:
        of.cache_clear()


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("name", hierarchical.BUDGETS)
def test_every_system_of_the_comparison_runs(name: str) -> None:
    found = getattr(hierarchical, name)()
    assert list(found) == [0, 1]
    budget = hierarchical.BUDGETS[name]
    for metrics in found.values():
        assert {"relative_error", "epochs", "failed", "still_falling", "seconds"} <= set(metrics)
        assert metrics["epochs"] in (budget.every, 2 * budget.every)
        assert metrics["relative_error"] == min(
            metrics[f"curve/{n * budget.every}"] for n in (1, 2)
        )
        if budget.steps:
            assert metrics["step"] == budget.steps[0], "the step that diverges is not chosen"
            assert metrics["search/epochs"] == 6


@pytest.mark.usefixtures("_small")
def test_linear_regression_does_not_fail_and_one_that_diverges_does() -> None:
    assert hierarchical.linear()[0]["failed"] == 0
    hierarchical.BUDGETS["backprop_adam"] = replace(
        hierarchical.BUDGETS["backprop_adam"], steps=(1e9,)
    )
    assert hierarchical.backprop_adam()[0]["failed"] == 1


def test_every_arm_of_the_claims_is_a_system_with_as_many_seeds() -> None:
    for claim in CLAIMS:
        assert set(claim.arms) <= set(hierarchical.BUDGETS)
        assert claim.seeds == len(hierarchical.SEEDS)
    assert hierarchical.SEARCH_SEED not in hierarchical.SEEDS
