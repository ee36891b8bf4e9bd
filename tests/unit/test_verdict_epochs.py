"""Claims about training to a criterion, on made-up runs where the answer is plain."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from moebench.claims import Claim, Word
from moebench.records import RunRecord
from moebench.statistics.two_samples import (
    difference_of_means,
    equivalence_of_means,
    ratio_of_means,
)
from moebench.verdict import Verdict, judge

GRID = (2.0, 5.0)
JUDGED, TRIED = range(1000, 1025), range(1025, 1028)
NOISE = np.linspace(-1, 1, 28) ** 3


def run(arm: str, seed: int, metrics: Mapping[str, float]) -> RunRecord:
    return RunRecord(
        **{"target": "x", "profile": "full", "arm": arm, "seed": seed, "status": "finished"},
        **{"config_hash": "", "commit": "", "metrics": metrics},
    )


def runs(arm: str, spread: float = 20.0, lost: int = 0, **more: Any) -> list[RunRecord]:
    """25 judged runs and 3 trials; `epochs` is a map from step size to the mean of its epochs.

    Args:
        arm: name of the arm.
        spread: largest deviation of the epochs from their mean.
        lost: how many of the judged runs never got there with step 5.
        **more: `epochs`, and other quantities, the same at each step.
    """
    epochs: Mapping[float, float] = more.pop("epochs", {2.0: 500.0, 5.0: 200.0})
    records = []
    for number, seed in enumerate([*TRIED, *JUDGED]):
        metrics: dict[str, float] = {}
        for step, mean in epochs.items():
            missing = step == 5.0 and 3 <= number < 3 + lost
            metrics[f"step_{step:g}/reached"] = float(not missing)
            metrics[f"step_{step:g}/epochs"] = 15000.0 if missing else mean + spread * NOISE[number]
            for quantity, value in more.items():
                metrics[f"step_{step:g}/{quantity.replace('__', '/')}"] = (
                    value + 0.001 * NOISE[number]
                )
        records.append(run(arm, seed, metrics))
    return records


def judged(records: list[RunRecord], test: str, arms: tuple[str, ...], **changes: Any) -> Verdict:
    settings = {"grid": GRID, "trials": 3, "rules": (5.0,), **changes.pop("settings", {})}
    claim = Claim(
        **{"key": "X-01", "says": "", "source": "", "paper_values": {}, "matched_on": None},
        **{"test": test, "arms": arms, "seeds": 25, "settings": settings, **changes},
    )
    (verdict,) = judge([claim], records, "full")
    return verdict


def states(verdict: Verdict) -> list[str]:
    return [condition["state"] for condition in verdict.conditions]


def test_fewer_epochs_at_one_step_and_at_the_best_of_each() -> None:
    fast = runs("a", epochs={2.0: 400.0, 5.0: 900.0})
    slow = runs("b", epochs={2.0: 1000.0, 5.0: 800.0})
    found = judged(
        fast + slow,
        "fewer_epochs",
        ("a", "b"),
        settings={"rules": ("best", 5.0), "at_most": 0.75, "level": 0.001},
    )
    # At its own best a takes 400 and b 800; at step 5 a takes 900 and b 800.
    assert states(found) == ["holds", "refuted"]
    assert found.verdict is Word.PARTIAL
    assert found.effect == pytest.approx(0.5, abs=0.02)
    assert found.n == 25
    assert found.measured["a"]["best: step"] == 2.0
    assert found.measured["b"]["best: step"] == 5.0


def test_a_step_at_which_a_trial_failed_is_nobodys_best() -> None:
    records = runs("a", epochs={2.0: 400.0, 5.0: 200.0}) + runs("b")
    trial = next(record for record in records if (record.arm, record.seed) == ("a", 1026))
    trial.metrics["step_5/reached"] = 0.0  # type: ignore[index]
    found = judged(records, "fewer_epochs", ("a", "b"), settings={"rules": ("best",)})
    assert found.measured["a"]["best: step"] == 2.0
    assert found.measured["b"]["best: step"] == 5.0


def test_judged_seeds_do_not_choose_and_trials_are_not_judged() -> None:
    records = runs("a") + runs("b", epochs={2.0: 900.0, 5.0: 600.0})
    for record in records:
        if record.seed in JUDGED and record.arm == "a":
            record.metrics["step_5/epochs"] = 300.0  # type: ignore[index]
    found = judged(records, "fewer_epochs", ("a", "b"), settings={"rules": ("best",)})
    assert found.measured["a"]["best: epochs"] == 300.0


def test_a_ratio_between_the_claimed_one_and_one_decides_nothing() -> None:
    records = runs("a", epochs={5.0: 850.0}, spread=500.0) + runs("b", epochs={5.0: 1100.0})
    found = judged(records, "fewer_epochs", ("a", "b"), settings={"at_most": 0.8})
    assert states(found) == ["open"]
    assert found.verdict is Word.INCONCLUSIVE


def test_runs_that_never_get_there_are_left_out_and_named() -> None:
    records = runs("a", lost=2) + runs("b", epochs={5.0: 600.0})
    found = judged(records, "fewer_epochs", ("a", "b"))
    assert found.n == 23
    assert "2 of 25 runs of a never got there (step 5)" in found.why
    assert found.preliminary, "23 of 25"


def test_steadier() -> None:
    records = runs("a", spread=5.0) + runs("b", spread=50.0) + runs("c", spread=50.0)
    assert judged(records, "steadier", ("a", "b")).verdict is Word.REPRODUCED
    assert judged(records, "steadier", ("b", "a")).verdict is Word.NOT_REPRODUCED
    assert judged(records, "steadier", ("b", "c")).verdict is Word.INCONCLUSIVE
    assert judged(records, "steadier", ("a", "b")).effect == pytest.approx(0.01, rel=0.05)


def test_two_means_and_by_how_much() -> None:
    records = runs("a", accuracy__test=0.95) + runs("b", accuracy__test=0.90)
    settings = {"quantity": "accuracy/test"}
    higher = judged(records, "two_means", ("a", "b"), direction="higher", settings=settings)
    assert (states(higher), higher.verdict) == (["holds"], Word.REPRODUCED)
    assert higher.effect == pytest.approx(0.05, abs=1e-3)
    lower = judged(records, "two_means", ("a", "b"), direction="lower", settings=settings)
    assert lower.verdict is Word.NOT_REPRODUCED
    assert lower.effect == pytest.approx(0.05, abs=1e-3)
    for by, word in ((0.04, Word.REPRODUCED), (0.06, Word.NOT_REPRODUCED)):
        more = {**settings, "by": {("a", "b"): by}}
        found = judged(records, "two_means", ("a", "b"), direction="higher", settings=more)
        assert found.verdict is word
        assert found.effect == pytest.approx(0.05, abs=1e-3), "the difference, not the excess"


def accurate(arm: str, test: float, train: float) -> list[RunRecord]:
    return runs(arm, accuracy__test=test, accuracy__train=train)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"a": 0.90, "b": 0.91}, ["holds"] * 4),
        ({"a": 0.90, "b": 0.945}, ["refuted", "holds", "refuted", "holds"]),
        ({"a": 0.97, "b": 0.98}, ["holds", "refuted", "holds", "refuted"]),
    ],
)
def test_same_accuracy(values: dict[str, float], found: list[str]) -> None:
    records = [record for arm, value in values.items() for record in accurate(arm, value, value)]
    settings = {"between": (0.85, 0.95), "group": 2}
    verdict = judged(
        records, "same_accuracy", ("a", "b"), direction="equal", margin=0.03, settings=settings
    )
    assert states(verdict) == found


def test_within_runs_judges_the_first_and_counts_the_others() -> None:
    records = accurate("a", 0.92, 0.90) + accurate("b", 0.92, 0.90) + accurate("c", 0.90, 0.92)
    settings = {"above": "accuracy/test", "below": "accuracy/train", "first": 1}
    found = judged(records, "within_runs", ("a", "b", "c"), direction="higher", settings=settings)
    assert (states(found), found.verdict) == (["holds"], Word.REPRODUCED)
    assert "so it is in 1 of 2 other arms" in found.why
    other = judged(records, "within_runs", ("c", "a"), direction="higher", settings=settings)
    assert other.verdict is Word.NOT_REPRODUCED


def test_share_of_runs() -> None:
    records = runs("a", active=2.5)
    settings = {"quantity": "active", "between": (2, 3), "share": 0.96}
    assert judged(records, "share_of_runs", ("a",), settings=settings).verdict is Word.REPRODUCED
    for record in [record for record in records if record.seed in (1000, 1001)]:
        record.metrics["step_5/active"] = 4.0  # type: ignore[index]
    found = judged(records, "share_of_runs", ("a",), settings=settings)
    assert (found.verdict, found.effect) == (Word.NOT_REPRODUCED, pytest.approx(0.92))


def test_share_of_runs_without_steps() -> None:
    records = [run("a", seed, {"lead": float(seed % 10)}) for seed in range(20)]
    claim = {"quantity": "lead", "between": (1.0, np.inf), "share": 0.9}
    claims = Claim(
        **{"key": "X", "says": "", "source": "", "paper_values": {}, "matched_on": None},
        **{"test": "share_of_runs", "arms": ("a",), "settings": claim},
    )
    (found,) = judge([claims], records, "full")
    assert (found.verdict, found.effect) == (Word.REPRODUCED, pytest.approx(0.9))


def test_on_its_side() -> None:
    records = runs("a", accuracy__train=0.6) + runs("b", accuracy__train=0.9)
    settings = {"quantity": "accuracy/train", "below": {"a": 0.75}, "above": {"b": 0.85}}
    found = judged(records, "on_its_side", ("a", "b"), settings=settings)
    assert (states(found), found.verdict) == (["holds", "holds"], Word.REPRODUCED)
    assert found.effect == pytest.approx(0.6, abs=1e-3)
    turned = {**settings, "below": {"b": 0.75}, "above": {"a": 0.85}}
    assert judged(records, "on_its_side", ("a", "b"), settings=turned).verdict is (
        Word.NOT_REPRODUCED
    )


def test_two_samples_by_hand() -> None:
    first, second = np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 5.0])
    interval, p = difference_of_means(first, second)
    # Pooled variance 1, standard error sqrt(2/3), t = -2.449 with 4 degrees of freedom; the
    # quantile of t is 2.776, so the interval is -2 +- 2.267.
    assert (interval.estimate, interval.n) == (-2.0, 3)
    assert (interval.low, interval.high) == pytest.approx((-4.267, 0.267), abs=1e-3)
    assert p == pytest.approx(0.0705, abs=1e-4)
    assert equivalence_of_means(first, second, 0.1) > 0.9
    assert equivalence_of_means(first, first, 5.0) < 0.01
    ratio = ratio_of_means(first, second, np.random.default_rng(0))
    assert ratio.estimate == 0.5
    assert ratio.low < 0.5 < ratio.high


def test_two_samples_that_say_nothing_or_everything() -> None:
    one, none, same = np.array([1.0]), np.array([]), np.array([2.0, 2.0])
    rng = np.random.default_rng(0)
    for other in (one, none):
        assert difference_of_means(same, other)[1] == 1.0
        assert np.isinf(difference_of_means(same, other)[0].high)
        assert ratio_of_means(other, same, rng).low == 0.0
        assert equivalence_of_means(same, other, 1.0) == 1.0
    assert difference_of_means(same, same)[1] == 1.0
    assert difference_of_means(same, same + 1)[1] == 0.0
    assert equivalence_of_means(same, same + 1, 0.5) == 1.0
    assert equivalence_of_means(same, same + 1, 1.5) == 0.0
    assert ratio_of_means(same, 2 * same, rng).high == 0.5


def test_of_many_conditions_the_sentence_tells_the_first_and_counts_all() -> None:
    records = [run for arm in "abcdef" for run in runs(arm)]
    settings = {"rules": ("best", 5.0)}
    found = judged(records, "fewer_epochs", tuple("abcdef"), settings=settings)
    assert len(found.conditions) == 6
    assert found.why.startswith("a needs fewer epochs than b (each at its own best step): ")
    assert "; of all 6 conditions: " in found.why
    few = judged(records, "fewer_epochs", ("a", "b"), settings=settings)
    assert "of all" not in few.why
    assert few.why.count("a needs fewer epochs than b") == 2
