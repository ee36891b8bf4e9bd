"""The tests that this paper alone uses, on runs where the answer is plain."""

from dataclasses import replace
from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import ClaimTest, VerdictLabel
from moebench.statistics import overflow_share
from moebench.testing.verdicts import NOISE, around, run, states, verdict_of
from moebench.verdict import Verdict
from reproductions.switch_2021.judging import (
    BestAndWorst,
    BetterAndSteadier,
    Crossover,
    Undisturbed,
)
from reproductions.switch_2021.rows import FewDropped, Trend

WIDE = (0.5, -0.4, 0.1, -0.3, 0.2)

CROSSOVER = Crossover(
    first={1.0: "a", 1.25: "b", 2.0: "c"},
    second={1.0: "d", 1.25: "e", 2.0: "f"},
    ample=2.0,
    margin=0.05,
)


@pytest.mark.parametrize(
    ("means", "found", "word"),
    [
        ((2, 2, 2, 3, 3, 1), ["holds"] * 3, VerdictLabel.REPRODUCED),
        # One scarce capacity goes the other way; the contrast with the ample one is there.
        ((2, 3, 4, 3, 2, 1), ["refuted", "holds", "holds"], VerdictLabel.NOT_REPRODUCED),
        ((2, 2, 2, 3, 3, 3), ["holds", "refuted", "refuted"], VerdictLabel.PARTIAL),
        # All of the contrast comes from the ample capacity.
        ((2, 2, 2, 2, 2, 1), ["refuted", "holds", "holds"], VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_crossover(means: tuple[float, ...], found: list[str], word: VerdictLabel) -> None:
    verdict = verdict_of(CROSSOVER, around(**dict(zip("abcdef", means, strict=True))))
    assert (states(verdict), verdict.verdict) == (found, word)


def test_a_crossover_compares_at_equal_capacity() -> None:
    assert CROSSOVER.pairs == [("a", "d"), ("b", "e"), ("c", "f")]
    found = verdict_of(CROSSOVER, around(a=2, b=3, c=4, d=3, e=2, f=1))
    assert "refuted by: b has a lower valid/loss than e" in found.why
    assert found.effect == pytest.approx(1.0, abs=0.01)


STEADIER = BetterAndSteadier(first="a", second="b", margin=0.05)


def test_better_and_steadier() -> None:
    both = verdict_of(STEADIER, around(a=1) + around(WIDE, b=3))
    assert (states(both), both.verdict) == (["holds", "holds"], VerdictLabel.REPRODUCED)
    assert both.conditions[1]["effect"] == pytest.approx(0.03 / 1.4)  # distances from the median
    alike = verdict_of(STEADIER, around(a=1, b=3))
    assert (states(alike), alike.verdict) == (["holds", "open"], VerdictLabel.PARTIAL)
    other = verdict_of(STEADIER, around(WIDE, a=3) + around(b=1))
    assert (states(other), other.verdict) == (["refuted", "refuted"], VerdictLabel.NOT_REPRODUCED)


def test_a_spread_needs_no_pairs_and_the_mean_does() -> None:
    later = [replace(one, seed=one.seed + 5) for one in around(WIDE, b=3)]
    apart = verdict_of(STEADIER, around(a=1) + later)
    assert (states(apart), apart.verdict) == (["open", "holds"], VerdictLabel.INCONCLUSIVE)


def test_best_and_worst() -> None:
    test = BestAndWorst(best="b", second="c", others=("d",), worst="a", margin=0.05)
    held = verdict_of(test, around(a=3, b=2, c=2, d=2.5))
    assert (states(held), held.verdict) == (["holds"] * 3, VerdictLabel.REPRODUCED)
    assert held.effect == pytest.approx(0.5, abs=0.05)  # against d, the nearest
    assert {("a", "d"), ("b", "c"), ("b", "d")} <= set(test.pairs)
    assert verdict_of(test, around(a=3, b=2, c=2, d=4)).verdict is VerdictLabel.NOT_REPRODUCED
    for c, d, found in ((2.2, 2.5, ["refuted", "holds"]), (2, 2, ["holds", "refuted"])):
        weaker = verdict_of(test, around(a=3, b=2, c=c, d=d))
        assert (states(weaker), weaker.verdict) == (["holds", *found], VerdictLabel.PARTIAL)


UNDISTURBED = Undisturbed(
    chosen="c", lowest="a", between=("b",), highest="d", keeps="route/dropped", limit=0.01
)


def undisturbed(a: float, b: float, d: float, dropped: float = 0.001) -> Verdict:
    """The verdict on a chosen setting whose loss is 2."""
    records = around(c=2, a=a, b=b, d=d)
    kept = [replace(r, metrics={**r.metrics, "route/dropped": dropped}) for r in records]
    return verdict_of(replace(UNDISTURBED, margin=0.05), kept)


def test_a_setting_that_disturbs_nothing() -> None:
    assert undisturbed(3, 2.1, 2.1).verdict is VerdictLabel.REPRODUCED
    assert undisturbed(2, 2.1, 3).verdict is VerdictLabel.REPRODUCED
    better = undisturbed(3, 1.5, 3)
    assert (better.verdict, better.effect) == (
        VerdictLabel.NOT_REPRODUCED,
        pytest.approx(0.5, abs=0.02),
    )
    leaky = undisturbed(3, 2.1, 2.1, dropped=0.02)
    assert (states(leaky), leaky.verdict) == (["holds", "refuted", "holds"], VerdictLabel.PARTIAL)
    assert states(undisturbed(2, 2.1, 2)) == ["holds", "holds", "refuted"]
    assert leaky.measured["b"]["route/dropped"] == pytest.approx(0.02)


TREND = Trend(row=("a", "b", "c", "d"), margin=0.05)


def test_trend() -> None:
    found = verdict_of(TREND, around(a=3, b=2.9, c=2.5, d=2.4))
    assert found.verdict is VerdictLabel.REPRODUCED
    # The line through 3, 2.9, 2.5, 2.4 falls by (3 * 0.6 + 0.4) / 10 a place, over three places.
    assert found.effect == pytest.approx(-0.66, abs=0.01)
    assert (
        verdict_of(TREND, around(a=2.4, b=2.5, c=2.9, d=3)).verdict is VerdictLabel.NOT_REPRODUCED
    )
    assert verdict_of(TREND, around(a=3, b=3, c=3, d=3)).verdict is VerdictLabel.NOT_REPRODUCED


@pytest.mark.parametrize(
    ("means", "found"),
    [
        ((3, 3, 2.5, 2.4), ["holds", "refuted", "holds"]),
        ((3, 2.5, 2.5, 2.5), ["holds", "holds", "refuted"]),
    ],
)
def test_a_line_falls_where_a_single_step_does(means: tuple[float, ...], found: list[str]) -> None:
    verdict = verdict_of(TREND, around(**dict(zip("abcd", means, strict=True))))
    assert (states(verdict), verdict.verdict) == (found, VerdictLabel.PARTIAL)


def test_a_trend_of_single_runs_is_inconclusive() -> None:
    singles = [run(arm, 0, -float(i)) for i, arm in enumerate("abcd")]
    assert verdict_of(TREND, singles).verdict is VerdictLabel.INCONCLUSIVE


def drops(tokens: int = 2048, **means: float) -> list[RunRecord]:
    """Runs of five seeds that drop such shares of batches of so many tokens."""
    return [
        run(arm, seed, tokens=10 * tokens, metrics={"route/dropped": mean * (1 + noise)})
        for arm, mean in means.items()
        for seed, noise in enumerate(NOISE)
    ]


FEW = FewDropped(
    experts={"a": 4, "b": 64},
    factor=1.25,
    limit=0.01,
    metric="route/dropped",
    unit="share",
    margin=0.005,
)


def test_few_are_dropped() -> None:
    low = verdict_of(FEW, drops(a=0.001, b=0.004))
    assert (states(low), low.verdict) == (["holds", "holds"], VerdictLabel.REPRODUCED)
    assert low.measured["b"]["floor"] == pytest.approx(overflow_share(40, 2048, 64))
    rising = verdict_of(replace(FEW, margin=0.001), drops(a=0.0001, b=0.0095))
    assert (states(rising), rising.verdict) == (["holds", "refuted"], VerdictLabel.PARTIAL)


def test_the_arm_that_drops_most_is_named_whatever_the_order() -> None:
    three = replace(FEW, experts={"a": 4, "b": 16, "c": 64})
    found = verdict_of(three, drops(a=0.02, b=0.08, c=0.03))
    assert found.verdict is VerdictLabel.NOT_REPRODUCED
    assert "3 of 3 arms drop more, b most of all, 0.08" in found.why


def test_a_share_at_the_floor_is_not_held_against_the_claim() -> None:
    # 256 tokens on 64 experts: random routing drops 10% of them, however balanced.
    found = verdict_of(FEW, drops(tokens=256, a=0.001, b=0.1))
    assert found.measured["b"]["floor"] > 0.1
    assert states(found) == ["open", "open"]
    assert states(verdict_of(FEW, drops(tokens=256, a=0.001, b=0.2))) == ["refuted", "refuted"]


@pytest.mark.parametrize(
    ("kind", "fields", "message"),
    [
        (Crossover, {"first": {1.0: "a"}, "second": {2.0: "b"}, "ample": 1.0}, "the same capacity"),
        (Crossover, {"first": {1.0: "a"}, "second": {1.0: "b"}, "ample": 1.0}, "ample=1.0: must"),
        (
            BestAndWorst,
            {"best": "a", "second": "b", "others": (), "worst": "c"},
            "others=..: needs",
        ),
        (Trend, {"row": ("a", "b")}, "needs three arms or more"),
        (FewDropped, {"experts": {"a": 8, "b": 4}, "factor": 1, "limit": 0.1}, "rising"),
    ],
)
def test_invalid_fields_are_refused(
    kind: type[ClaimTest], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        kind(**fields)
