"""Claims about training to a criterion, on made-up runs where the answer is plain."""

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np
import pytest

from moebench.claims import Claim, ClaimTest, Word
from moebench.records import RunRecord
from moebench.verdict import Verdict, judge
from reproductions.jacobs_1991.judging import (
    AboveOverOrders,
    Bound,
    FewerEpochs,
    FewerEpochsOverOrders,
    LowerAndWithin,
    OnItsSide,
    Pair,
    SameAccuracy,
    ShareOfRuns,
    Steadier,
    TwoMeans,
)

JUDGED, TRIED = range(1000, 1025), range(1025, 1028)
NOISE = np.linspace(-1, 1, 28) ** 3
AB = {"": (Pair("a", "b"),)}
AT_5: dict[str, Any] = {"grid": (2.0, 5.0), "rules": (5.0,)}
AT_BEST: dict[str, Any] = {"grid": (2.0, 5.0), "rules": ("best",)}


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
                name = f"step_{step:g}/{quantity.replace('__', '/')}"
                metrics[name] = value + 0.001 * NOISE[number]
        records.append(run(arm, seed, metrics))
    return records


def judged(records: list[RunRecord], test: ClaimTest, seeds: int = 25) -> Verdict:
    claim = Claim(
        **{"key": "X-01", "says": "", "source": "", "paper_values": {}, "matched_on": None},
        **{"test": test, "seeds": seeds},
    )
    (verdict,) = judge([claim], records, "full")
    return verdict


def states(verdict: Verdict) -> list[str]:
    return [str(condition["state"]) for condition in verdict.conditions]


def test_fewer_epochs_at_one_step_and_at_the_best_of_each() -> None:
    fast = runs("a", epochs={2.0: 400.0, 5.0: 900.0})
    slow = runs("b", epochs={2.0: 1000.0, 5.0: 800.0})
    test = FewerEpochs(under=AB, factor=0.75, grid=(2.0, 5.0), rules=("best", 5.0))
    found = judged(fast + slow, test)
    # At its own best a takes 400 and b 800; at step 5 a takes 900 and b 800.
    assert states(found) == ["holds", "refuted"]
    assert [one["choice"] for one in found.conditions] == ["best step", "step 5"]
    assert found.verdict is Word.PARTIAL
    assert found.effect == pytest.approx(0.5, abs=0.02), "that of the choice under which it holds"
    assert found.n == 25
    assert found.measured["a"]["best: step"] == 2.0
    assert found.measured["b"]["best: step"] == 5.0


def test_all_pairs_of_a_choice_must_be_as_claimed() -> None:
    records = runs("a") + runs("b", epochs={5.0: 900.0}) + runs("c", epochs={5.0: 190.0})
    both = {"": (Pair("a", "b"), Pair("a", "c"))}
    found = judged(records, FewerEpochs(under=both, **AT_5))
    assert found.verdict is Word.NOT_REPRODUCED
    assert "a against c" in found.why
    assert judged(records, FewerEpochs(under=AB, **AT_5)).verdict is Word.REPRODUCED


def test_a_step_at_which_a_trial_failed_is_nobodys_best() -> None:
    records = runs("a", epochs={2.0: 400.0, 5.0: 200.0}) + runs("b")
    trial = next(record for record in records if (record.arm, record.seed) == ("a", 1026))
    trial.metrics["step_5/reached"] = 0.0  # type: ignore[index]
    found = judged(records, FewerEpochs(under=AB, **AT_BEST))
    assert found.measured["a"]["best: step"] == 2.0
    assert found.measured["b"]["best: step"] == 5.0


def test_judged_seeds_do_not_choose_and_trials_are_not_judged() -> None:
    records = runs("a") + runs("b", epochs={2.0: 900.0, 5.0: 600.0})
    for record in records:
        if record.seed in JUDGED and record.arm == "a":
            record.metrics["step_5/epochs"] = 300.0  # type: ignore[index]
    found = judged(records, FewerEpochs(under=AB, **AT_BEST))
    assert found.measured["a"]["best: epochs"] == 300.0


@pytest.mark.parametrize(
    ("mean", "spread", "state"),
    [
        (700.0, 20.0, "holds"),
        (850.0, 20.0, "refuted"),  # fewer, but more than 0.75 times as many
        (1200.0, 20.0, "refuted"),
        (720.0, 900.0, "open"),
    ],
)
def test_a_ratio_is_held_against_the_factor(mean: float, spread: float, state: str) -> None:
    records = runs("a", epochs={5.0: mean}, spread=spread) + runs("b", epochs={5.0: 1000.0})
    assert states(judged(records, FewerEpochs(under=AB, factor=0.75, **AT_5))) == [state]


def test_runs_that_never_get_there_are_left_out_and_named() -> None:
    records = runs("a", lost=2) + runs("b", epochs={5.0: 600.0})
    found = judged(records, FewerEpochs(under=AB, **AT_5))
    assert found.n == 23
    assert "2 of 25 runs of a never got there (step 5)" in found.why
    assert found.preliminary, "23 of 25"


def test_controls_of_one_system_against_itself() -> None:
    records = runs("a", epochs={2.0: 1000.0, 5.0: 400.0})
    itself = {"": (Pair("a", "a"),)}
    none = judged(records, FewerEpochs(under=itself, factor=0.75, **AT_5))
    assert (none.verdict, none.n) == (Word.NOT_REPRODUCED, 12), "13 runs against 12"
    assert none.effect == pytest.approx(1.0, abs=0.02)
    faster = judged(records, FewerEpochs(under=itself, factor=0.75, second_at=2.0, **AT_5))
    assert (faster.verdict, faster.n) == (Word.REPRODUCED, 25)
    assert faster.effect == pytest.approx(0.4, abs=0.01)


def test_steadier() -> None:
    records = runs("a", spread=5.0) + runs("b", spread=50.0) + runs("c", spread=50.0)

    def found(first: str, second: str) -> Verdict:
        return judged(records, Steadier(under={"": (Pair(first, second),)}, **AT_5))

    assert found("a", "b").verdict is Word.REPRODUCED
    assert found("b", "a").verdict is Word.NOT_REPRODUCED
    assert found("b", "c").verdict is Word.INCONCLUSIVE
    assert found("a", "b").effect == pytest.approx(0.1, rel=0.05)


def test_one_run_that_takes_long_is_no_spread() -> None:
    late = [
        replace(one, metrics={**one.metrics, "step_5/epochs": 9000.0}) if one.seed == 1003 else one
        for one in runs("a", spread=5.0)
    ]
    test = Steadier(under=AB, **AT_5)
    assert judged([*late, *runs("b", spread=50.0)], test).verdict is Word.INCONCLUSIVE


def test_two_means_and_by_how_much() -> None:
    records = runs("a", accuracy__test=0.95) + runs("b", accuracy__test=0.90)

    def found(**more: Any) -> Verdict:
        return judged(records, TwoMeans(quantity="accuracy/test", **{"under": AB, **AT_5, **more}))

    higher = found()
    assert (states(higher), higher.verdict) == (["holds"], Word.REPRODUCED)
    assert higher.effect == pytest.approx(0.05, abs=1e-3)
    assert found(direction="lower").verdict is Word.NOT_REPRODUCED
    assert found(margin=0.04).verdict is Word.REPRODUCED
    assert found(margin=0.06).verdict is Word.NOT_REPRODUCED
    own = found(margin=0.04, under={"": (Pair("a", "b", 0.06),)})
    assert own.verdict is Word.NOT_REPRODUCED, "the margin of the pair, not of the test"
    assert own.effect == pytest.approx(0.05, abs=1e-3), "the difference, not the excess"


def accurate(arm: str, test: float, train: float) -> list[RunRecord]:
    return runs(arm, accuracy__test=test, accuracy__train=train)


@pytest.mark.parametrize(
    ("values", "found", "word"),
    [
        ({"a": 0.90, "b": 0.91}, ["holds", "holds"], Word.REPRODUCED),
        ({"a": 0.90, "b": 0.945}, ["refuted", "holds"], Word.NOT_REPRODUCED),
        ({"a": 0.97, "b": 0.98}, ["holds", "refuted"], Word.PARTIAL),
    ],
)
def test_same_accuracy(values: dict[str, float], found: list[str], word: Word) -> None:
    records = [record for arm, value in values.items() for record in accurate(arm, value, value)]
    test = SameAccuracy(under={"": ("a", "b")}, low=0.85, high=0.95, margin=0.03, **AT_5)
    verdict = judged(records, test)
    assert (states(verdict), verdict.verdict) == (found, word)


def test_equal_on_one_split_is_not_equal() -> None:
    records = accurate("a", 0.90, 0.90) + accurate("b", 0.90, 0.94)
    test = SameAccuracy(under={"": ("a", "b")}, low=0.85, high=0.95, margin=0.03, **AT_5)
    found = judged(records, test)
    assert found.verdict is Word.NOT_REPRODUCED
    assert "a and b on train data" in found.why


def test_share_of_runs() -> None:
    records = runs("a", active=2.5)
    test = ShareOfRuns(quantity="active", low=2, high=3, least=0.96, under={"": ("a",)}, **AT_5)
    assert judged(records, test).verdict is Word.REPRODUCED
    some = [record for record in records if record.seed in JUDGED]
    for number, word in ((2, Word.INCONCLUSIVE), (10, Word.NOT_REPRODUCED)):
        for record in some[:number]:
            record.metrics["step_5/active"] = 4.0  # type: ignore[index]
        found = judged(records, test)
        assert (found.verdict, found.effect) == (word, pytest.approx(1 - number / 25))


def test_share_of_runs_without_steps() -> None:
    records = [run("a", seed, {"lead": float(seed % 10)}) for seed in range(20)]
    test = ShareOfRuns(quantity="lead", low=1, least=0.9, under={"": ("a",)}, rules=())
    found = judged(records, test, seeds=20)
    assert (found.verdict, found.effect) == (Word.REPRODUCED, pytest.approx(0.9))


def test_on_its_side() -> None:
    records = runs("a", accuracy__train=0.6) + runs("b", accuracy__train=0.9)

    def found(lead: Bound, side: Bound, **more: Any) -> Verdict:
        test = OnItsSide(
            quantity="accuracy/train", under={"": (lead,)}, sides=(side,), **AT_5, **more
        )
        return judged(records, test)

    right = found(Bound("a", high=0.75), Bound("b", low=0.85))
    assert (states(right), right.verdict) == (["holds", "holds"], Word.REPRODUCED)
    assert right.effect == pytest.approx(0.6, abs=1e-3)
    half = found(Bound("a", high=0.75), Bound("b", low=0.95))
    assert (states(half), half.verdict) == (["holds", "refuted"], Word.PARTIAL)
    assert found(Bound("a", low=0.55, high=0.65), Bound("b", low=0.85)).verdict is Word.REPRODUCED
    assert found(Bound("b", high=0.75), Bound("a", low=0.85)).verdict is Word.NOT_REPRODUCED
    small = found(Bound("a", high=0.61), Bound("b", low=0.85), margin=0.1)
    assert small.verdict is Word.NOT_REPRODUCED
    assert "too small to count" in small.why


@pytest.mark.parametrize(
    ("first", "word"),
    [(0.01, Word.REPRODUCED), (0.05, Word.PARTIAL), (0.14, Word.NOT_REPRODUCED)],
)
def test_lower_and_within(first: float, word: Word) -> None:
    means = {"a": first, "b": 0.15}
    records = [
        run(arm, seed, {"drop": mean + 0.001 * NOISE[seed]})
        for arm, mean in means.items()
        for seed in range(25)
    ]
    test = LowerAndWithin(first="a", second="b", within=0.03, margin=0.03, metric="drop")
    assert judged(records, test).verdict is word


def ordered(system: str, *epochs: float) -> list[RunRecord]:
    """Runs of a system with one order of the speakers after the other."""
    return [
        one
        for order, mean in enumerate(epochs)
        for one in runs(f"{system}{order}", epochs={5.0: mean}, accuracy__test=mean / 1000)
    ]


def test_an_order_is_one_value_however_many_runs_it_has() -> None:
    records = ordered("a", 100.0, 200.0, 300.0) + ordered("b", 400.0, 400.0, 400.0)
    systems = {name: tuple(f"{name}{order}" for order in range(3)) for name in "ab"}
    test = FewerEpochsOverOrders(systems=systems, step=5.0, factor=0.75)
    found = judged(records, test, seeds=3)
    # Logarithms of 1/4, 1/2 and 3/4: their mean is log(3/32) / 3.
    assert (found.n, found.effect) == (3, pytest.approx((3 / 32) ** (1 / 3), rel=1e-2))
    assert found.high is None or found.high > 1, "three orders, not 75 runs"
    assert "from 0.25 to 0.75 in single orders" in found.why


def test_a_gap_within_runs_is_judged_over_orders() -> None:
    gaps = (0.02, 0.03, 0.01, -0.01)
    records = [
        record for order, gap in enumerate(gaps) for record in accurate(f"a{order}", 0.9 + gap, 0.9)
    ]
    test = AboveOverOrders(
        quantity="accuracy/test",
        other="accuracy/train",
        systems={"a": ("a0", "a1", "a2")},
        step=5.0,
        beside=("a3",),
    )
    found = judged(records, test, seeds=3)
    assert (found.n, found.effect) == (3, pytest.approx(0.02))
    # t of 0.975 with 2 degrees is 4.302653, the standard error 0.01 / sqrt(3).
    assert found.low == pytest.approx(0.02 - 4.302653 * 0.01 / 3**0.5, rel=1e-3)
    assert "in 3 of 3 orders with a; beside these -0.01 in a3" in found.why


def test_without_runs_nothing_is_judged() -> None:
    few = [one for one in runs("a") + runs("b") if one.seed in (1000, *TRIED)]
    for test in (FewerEpochs(under=AB, **AT_5), Steadier(under=AB, **AT_5)):
        found = judged(few, test)
        assert (found.verdict, found.n) == (Word.INCONCLUSIVE, 1)
    lost = runs("a", lost=25) + runs("b")
    assert judged(lost, FewerEpochs(under=AB, **AT_5)).verdict is Word.INCONCLUSIVE


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: FewerEpochs(under={}), "must have a choice"),
        (lambda: FewerEpochs(under={"x": ()}), "each of them a pair"),
        (lambda: FewerEpochs(under=AB, factor=1.5), "factor=1.5"),
        (lambda: FewerEpochs(under=AB, rules=(7.0,)), "7.0 is neither best nor in the grid"),
        (lambda: FewerEpochs(under=AB, second_at=7.0), "second_at=7.0"),
        (lambda: FewerEpochs(under={"": (Pair("a", "b", 0.1),)}), "has a margin"),
        (lambda: SameAccuracy(under={"": ("a",)}, low=0.8, high=0.9), "each of them two arms"),
        (lambda: SameAccuracy(under={"": ("a", "b")}, low=0.9, high=0.8), "no range"),
        (lambda: OnItsSide(quantity="x", under={"": (Bound("a"),)}), "must have a bound"),
        (
            lambda: OnItsSide(quantity="x", under={"": (Bound("a", inf, 1.0),)}),
            "the lower below the higher",
        ),
        (lambda: ShareOfRuns(quantity="x", low=1, least=2, under={"": ("a",)}), "least=2"),
        (
            lambda: AboveOverOrders(quantity="x", other="y", systems={"a": ("a",), "b": ()}),
            "one arm an order",
        ),
        (lambda: FewerEpochsOverOrders(systems={"a": ("a",)}, factor=0.5), "two systems"),
    ],
)
def test_what_is_missing_or_misspelt_is_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
