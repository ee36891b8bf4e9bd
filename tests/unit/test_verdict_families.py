"""Every family of tests on data where the answer is plain."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from moebench.claims import Claim, Word
from moebench.records import RunRecord
from moebench.verdict import Verdict, judge
from moebench.verdict.evidence import curve
from moebench.verdict.speed import steps_until

NOISE = (0.01, -0.01, 0.0, 0.005, -0.005)
OTHER = (0.0, 0.005, -0.01, -0.005, 0.01)


def run(
    arm: str, seed: int, metrics: dict[str, float], seconds: float = 10.0, tokens: int = 2048
) -> RunRecord:
    """A run of 100 steps of so many tokens, in so many seconds."""
    return RunRecord(
        target="x",
        profile="full",
        arm=arm,
        seed=seed,
        status="finished",
        config_hash="",
        commit="",
        steps=100,
        tokens=100 * tokens,
        seconds=seconds,
        tokens_per_second=100 * tokens / seconds,
        metrics=metrics,
    )


def losses(spread: Sequence[float] = NOISE, **means: float) -> list[RunRecord]:
    """Runs of five seeds; arms share no noise, as each shifts it by one."""
    return [
        run(arm, seed, {"valid/loss": mean + spread[(seed + shift) % 5]})
        for shift, (arm, mean) in enumerate(means.items())
        for seed in range(5)
    ]


def judged(records: list[RunRecord], test: str, arms: Sequence[str], **changes: Any) -> Verdict:
    given = {"key": "X-01", "says": "", "source": "", "paper_values": {}, "matched_on": "steps"}
    claim = Claim(**{**given, "test": test, "arms": tuple(arms), "margin": 0.05, **changes})
    (verdict,) = judge([claim], records, "full")
    return verdict


def states(verdict: Verdict) -> list[str]:
    return [condition["state"] for condition in verdict.conditions]


@pytest.mark.parametrize(
    ("means", "found", "word"),
    [
        ({"a": 2, "b": 3, "c": 3, "d": 2}, ["holds"] * 3, Word.REPRODUCED),
        ({"a": 2, "b": 3, "c": 2, "d": 3}, ["refuted", "holds", "refuted"], Word.NOT_REPRODUCED),
        ({"a": 2, "b": 3, "c": 2.5, "d": 3}, ["holds", "holds", "refuted"], Word.PARTIAL),
    ],
)
def test_interaction(means: dict[str, float], found: list[str], word: Word) -> None:
    verdict = judged(losses(**means), "interaction", "abcd")
    assert (states(verdict), verdict.verdict) == (found, word)
    contrast = (means["a"] - means["b"]) - (means["c"] - means["d"])
    assert verdict.effect == pytest.approx(contrast, abs=0.05)


@pytest.mark.parametrize(
    ("means", "found"),
    [
        ({"a": 0.02, "b": 0.2}, ["holds", "holds"]),
        ({"a": 0.1, "b": 0.2}, ["holds", "refuted"]),
        ({"a": 0.02, "b": 0.01}, ["refuted", "holds"]),
    ],
)
def test_lower_and_within(means: dict[str, float], found: list[str]) -> None:
    small = [noise / 10 for noise in NOISE]
    settings = {"settings": {"within": 0.03}, "margin": 0.005}
    verdict = judged(losses(small, **means), "lower_and_within", "ab", **settings)
    assert states(verdict) == found


def test_order_and_its_partial_failure() -> None:
    up = losses(a=3, b=2, c=1)
    assert judged(up, "order", "abc", direction="higher").verdict is Word.REPRODUCED
    tail = judged(losses(a=3, b=2, c=2.5), "order", "abc", direction="higher")
    assert (states(tail), tail.verdict) == (["holds", "refuted"], Word.PARTIAL)
    assert judged(up, "order", "cba", direction="higher").verdict is Word.NOT_REPRODUCED


def test_worst_of() -> None:
    settings = {"equal": ("b", "c")}
    held = judged(
        losses(a=3, b=2, c=2, d=2.5), "worst_of", "abcd", direction="higher", settings=settings
    )
    assert (states(held), held.verdict) == (["holds", "holds"], Word.REPRODUCED)
    assert held.effect == pytest.approx(0.5, abs=0.05)  # against d, the nearest
    beaten = judged(
        losses(a=3, b=2, c=2, d=4), "worst_of", "abcd", direction="higher", settings=settings
    )
    assert beaten.verdict is Word.NOT_REPRODUCED
    unequal = judged(
        losses(a=3, b=2, c=2.2, d=2), "worst_of", "abcd", direction="higher", settings=settings
    )
    assert (states(unequal), unequal.verdict) == (["holds", "refuted"], Word.PARTIAL)


@pytest.mark.parametrize(
    ("a", "margin", "word"),
    [
        (2.0, 0.05, Word.REPRODUCED),
        (2.5, 0.05, Word.NOT_REPRODUCED),
        (1.5, 0.05, Word.NOT_REPRODUCED),
        (2.0, 0.001, Word.INCONCLUSIVE),
    ],
)
def test_equivalence(a: float, margin: float, word: Word) -> None:
    assert judged(losses(a=a, b=2), "equivalence", "ab", margin=margin).verdict is word


def test_relative_equivalence_divides_by_the_second_arm() -> None:
    records = losses(a=10.2, b=10.0)
    verdict = judged(records, "equivalence", "ab", settings={"relative": True})
    assert verdict.effect == pytest.approx(0.02, abs=1e-4)
    assert verdict.verdict is Word.REPRODUCED
    assert judged(records, "equivalence", "ab").verdict is Word.NOT_REPRODUCED


def test_spread() -> None:
    wide = losses((0.5, -0.4, 0.1, -0.3, 0.2), b=3)
    narrow = losses(a=1)
    both = judged(narrow + wide, "spread", "ab")
    assert (states(both), both.verdict) == (["holds", "holds"], Word.REPRODUCED)
    ratio = both.conditions[1]["effect"]
    assert ratio == pytest.approx(0.0000625 / 0.137, rel=1e-6)  # variances by hand
    assert judged(losses(a=1, b=3), "spread", "ab").verdict is Word.PARTIAL
    assert judged(narrow + wide, "spread", "ba").verdict is Word.NOT_REPRODUCED


def test_spread_without_pairs_or_without_variance() -> None:
    wide = losses((0.5, -0.4, 0.1, -0.3, 0.2), b=3)
    later = [replace(one, seed=one.seed + 5) for one in wide]
    apart = judged(losses(a=1) + later, "spread", "ab")
    assert (states(apart), apart.verdict) == (["open", "holds"], Word.INCONCLUSIVE)
    still = judged(wide + losses((0.0,) * 5, a=1), "spread", "ba", direction="higher")
    assert states(still) == ["holds", "refuted"]
    assert still.to_json()["conditions"][1]["effect"] is None  # infinite


def test_trend() -> None:
    falling = losses(a=3, b=2.9, c=2.5, d=2.4)
    assert judged(falling, "trend", "abcd").verdict is Word.REPRODUCED
    assert judged(falling, "trend", "dcba").verdict is Word.NOT_REPRODUCED
    late = judged(losses(a=3, b=3, c=2.5, d=2.4), "trend", "abcd")
    assert (states(late), late.verdict) == (["holds", "refuted"], Word.PARTIAL)
    flat = judged(losses(a=3, b=3, c=3, d=3), "trend", "abcd")
    assert flat.verdict is Word.NOT_REPRODUCED


def test_a_trend_of_single_runs_is_inconclusive() -> None:
    singles = [run(arm, 0, {"valid/loss": -float(i)}) for i, arm in enumerate("abcdef")]
    assert judged(singles, "trend", "abcdef").verdict is Word.INCONCLUSIVE


def drops(tokens: int = 2048, **means: float) -> list[RunRecord]:
    return [
        run(arm, seed, {"route/dropped": mean * (1 + noise)}, tokens=tokens)
        for arm, mean in means.items()
        for seed, noise in enumerate(NOISE)
    ]


def flat(records: list[RunRecord], margin: float = 0.005) -> Verdict:
    settings = {"limit": 0.01, "experts": (4, 64), "factor": 1.25}
    more = {"metric": "route/dropped", "unit": "share", "margin": margin}
    return judged(records, "flat_share", "ab", settings=settings, **more)


def test_flat_share() -> None:
    low = flat(drops(a=0.001, b=0.004))
    assert (states(low), low.verdict) == (["holds", "holds"], Word.REPRODUCED)
    assert flat(drops(a=0.001, b=0.05)).verdict is Word.NOT_REPRODUCED
    assert low.measured["b"]["floor"] == pytest.approx(0.00703, abs=1e-5)
    rising = flat(drops(a=0.0001, b=0.0095), margin=0.001)  # the floors differ by 0.0070
    assert (states(rising), rising.verdict) == (["holds", "refuted"], Word.PARTIAL)


def test_a_share_at_the_floor_is_not_held_against_the_claim() -> None:
    # 256 tokens on 64 experts: random routing drops 10% of them, however balanced.
    found = flat(drops(tokens=256, a=0.001, b=0.1))
    assert states(found)[0] == "open"
    assert "at the floor of random routing" in found.why
    assert found.measured["b"]["floor"] > 0.1
    assert states(found)[1] == "open"
    assert states(flat(drops(tokens=256, a=0.001, b=0.2))) == ["refuted", "refuted"]


def test_interior_optimum() -> None:
    def worlds(low: float, middle: float, high: float, dropped: float = 0.001) -> Verdict:
        records = losses(c=2, a=low, b=middle, d=high)
        kept = [run(r.arm, r.seed, {**r.metrics, "route/dropped": dropped}) for r in records]
        settings = {"keeps": "route/dropped", "below": 0.01}
        return judged(kept, "interior_optimum", "cabd", settings=settings)

    assert worlds(3, 2.1, 2.1).verdict is Word.REPRODUCED
    assert worlds(2, 2.1, 3).verdict is Word.REPRODUCED
    assert worlds(3, 1.5, 3).verdict is Word.NOT_REPRODUCED
    leaky = worlds(3, 2.1, 2.1, dropped=0.02)
    assert (states(leaky), leaky.verdict) == (["holds", "refuted", "holds"], Word.PARTIAL)
    # Near the best without a test to show for it, and refuted elsewhere: nothing is borne out.
    assert worlds(2, 2.1, 2, dropped=0.02).verdict is Word.NOT_REPRODUCED
    assert states(worlds(2, 2.1, 2)) == ["holds", "holds", "refuted"]
    single = judged(losses(c=2, a=3), "difference", "ca")
    assert worlds(3, 2.1, 2.1).conditions[2]["p"] == pytest.approx(2 * (single.p or 0.0))


def falling(arm: str, slope: float, seconds: float = 10.0) -> list[RunRecord]:
    """Curves 10 - slope * step, validated every 20 of 100 steps; seeds differ by a little."""
    return [
        run(
            arm,
            seed,
            {f"valid/loss@{step}": 10 - slope * (1 + noise) * step for step in range(20, 101, 20)},
            seconds,
        )
        for seed, noise in enumerate(NOISE if arm == "base" else OTHER)
    ]


def test_steps_are_interpolated() -> None:
    record = run("a", 0, {"valid/loss@10": 4.0, "valid/loss@20": 2.0, "valid/loss@100": 1.0})
    assert steps_until(*curve(record), 3.0) == pytest.approx(15.0)
    assert steps_until(*curve(record), 2.0) == pytest.approx(20.0)
    assert steps_until(*curve(record), 1.5) == pytest.approx(60.0)
    assert steps_until(*curve(record), 5.0) == pytest.approx(10.0)
    assert steps_until(*curve(record), 0.5) is None
    untrained = {"valid/loss@100": 1.0, "valid/loss@0": 4.0, "valid/loss@20": 2.0}
    assert steps_until(*curve(run("a", 0, untrained)), 3.0) == pytest.approx(20.0)
    assert steps_until(*curve(run("a", 0, untrained)), 1.5) == pytest.approx(60.0)


def test_steps_to_loss() -> None:
    # The base falls by 0.05 a step and ends at 5; twice the slope gets there in half the steps.
    records = falling("base", 0.05) + falling("a", 0.06) + falling("b", 0.1) + falling("c", 0.2)
    settings = {"judged": "b", "at_least": 1.5, "monotone": -0.8}
    found = judged(records, "steps_to_loss", ("base", "a", "b", "c"), settings=settings)
    assert (states(found), found.verdict) == (["holds"] * 3, Word.REPRODUCED)
    assert found.effect == pytest.approx(2.0, rel=0.01)
    assert found.measured["c"]["steps_ratio"] == pytest.approx(4.0, rel=0.01)
    some = judged(
        records, "steps_to_loss", ("base", "b", "a"), settings={**settings, "judged": "a"}
    )
    assert (states(some), some.verdict) == (["holds", "refuted", "refuted"], Word.PARTIAL)


def test_time_counts_the_length_of_a_step() -> None:
    records = falling("base", 0.05) + falling("a", 0.1, seconds=40.0)
    settings = {"scales": ("steps", "seconds")}
    found = judged(records, "steps_to_loss", ("base", "a"), settings=settings)
    assert (states(found), found.verdict) == (["holds", "refuted"], Word.PARTIAL)
    assert found.conditions[1]["effect"] == pytest.approx(0.5, rel=0.01)
    longer = [replace(one, steps=200, tokens=2 * one.tokens) for one in records[5:]]
    again = judged(records[:5] + longer, "steps_to_loss", ("base", "a"), settings=settings)
    assert again.conditions == found.conditions


def test_a_run_that_never_gets_there_cannot_bear_the_claim_out() -> None:
    slow = falling("base", 0.05, seconds=100.0) + falling("a", 0.01)
    in_time = judged(slow, "steps_to_loss", ("base", "a"), settings={"scales": ("seconds",)})
    assert in_time.verdict is Word.INCONCLUSIVE
    assert "5 of 5 runs never do" in in_time.why
    in_steps = judged(slow, "steps_to_loss", ("base", "a"))
    assert in_steps.verdict in {Word.NOT_REPRODUCED, Word.INCONCLUSIVE}
    assert in_time.measured["a"]["not_reached"] == 5


def test_a_point_of_the_curve_is_interpolated() -> None:
    records = falling("a", 0.1) + falling("base", 0.05)
    found = judged(records, "difference", ("a", "base"), metric="valid/loss@50")
    assert found.effect == pytest.approx(-2.5, abs=0.01)
    outside = judged(records, "difference", ("a", "base"), metric="valid/loss@500")
    assert (outside.verdict, outside.n) == (Word.INCONCLUSIVE, 0)
