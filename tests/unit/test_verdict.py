"""The rules of judging: pairs, words, Holm, and what is never judged."""

import json
import re
from typing import Any

import pytest

from moebench.claims import Claim, Word
from moebench.records import RunRecord
from moebench.verdict import TESTS, Verdict, judge


def run(arm: str, seed: int, loss: float, **changes: Any) -> RunRecord:
    return RunRecord(
        **{
            **{"target": "x", "profile": "full", "arm": arm, "seed": seed, "status": "finished"},
            **{
                "config_hash": "",
                "commit": "",
                "steps": 100,
                "tokens": 400,
                "tokens_per_second": 80.0,
            },
            **{"params_total": 20, "params_active": 10, "flops_per_token": 40.0},
            **{"metrics": {"valid/loss": loss}, **changes},
        }
    )


def runs(**losses: list[float]) -> list[RunRecord]:
    return [run(arm, seed, loss) for arm, row in losses.items() for seed, loss in enumerate(row)]


def claim(**changes: Any) -> Claim:
    given = {"key": "X-01", "says": "a beats b", "source": "", "paper_values": {"a": 1.5}}
    more = {"arms": ("a", "b"), "matched_on": "steps", "margin": 0.1, "seeds": 3}
    return Claim(**{**given, **more, "test": "difference", **changes})


def judged(records: list[RunRecord], **changes: Any) -> Verdict:
    (verdict,) = judge([claim(**changes)], records, "full")
    return verdict


# Differences -1.0, -1.1, -0.9: mean -1, sd 0.1, so t = 17.3 and p = 0.0033 with 2 degrees.
BETTER = runs(a=[1.0, 1.9, 2.6], b=[2.0, 3.0, 3.5])


def test_a_difference_by_hand() -> None:
    found = judged(BETTER)
    half = 4.302653 * 0.1 / 3**0.5
    assert found.verdict is Word.REPRODUCED
    assert (found.n, found.interval, found.unit, found.preliminary) == (3, "t", "nats", False)
    assert found.effect == pytest.approx(-1.0)
    assert found.low == pytest.approx(-1.0 - half, abs=1e-6)
    assert found.high == pytest.approx(-1.0 + half, abs=1e-6)
    t = 10 * 3**0.5
    assert found.p == found.p_adjusted == pytest.approx(1 - t / (2 + t * t) ** 0.5)
    assert found.measured["a"] == {
        "mean": pytest.approx(5.5 / 3),
        "sd": pytest.approx(0.80208, abs=1e-5),
        "n": 3,
        "failed": {},
    }


@pytest.mark.parametrize(
    ("differences", "word"),
    [
        ([-1.0, -1.1, -0.9], Word.REPRODUCED),
        ([1.0, 1.1, 0.9], Word.NOT_REPRODUCED),
        ([0.01, -0.01, 0.0], Word.NOT_REPRODUCED),  # whole interval above -0.1: nothing that counts
        ([0.5, -0.5, 0.0], Word.INCONCLUSIVE),
        ([-0.01, -0.011, -0.009], Word.REPRODUCED),  # small, but there
        ([0.0, 0.0, 0.0], Word.NOT_REPRODUCED),
        ([-1.0, -1.0, -1.0], Word.REPRODUCED),
    ],
)
def test_words_of_a_difference(differences: list[float], word: Word) -> None:
    lower = runs(a=[2 + d for d in differences], b=[2.0] * 3)
    assert judged(lower).verdict is word
    higher = runs(a=[2 - d for d in differences], b=[2.0] * 3)
    mirrored = judged(higher, direction="higher")
    assert mirrored.verdict is word
    assert mirrored.effect == pytest.approx(-(judged(lower).effect or 0.0))


def test_without_margin_no_effect_is_still_refuted_by_the_other_side() -> None:
    assert judged(runs(a=[2.0] * 3, b=[2.0] * 3), margin=0.0).verdict is Word.NOT_REPRODUCED


def test_pairs_are_formed_by_seed() -> None:
    # Unpaired the arms overlap wholly; paired the difference is -0.1 each time.
    records = runs(a=[1.0, 5.0, 9.0], b=[1.1, 5.1001, 9.0999])
    assert judged(list(reversed(records))).verdict is Word.REPRODUCED


def test_a_seed_without_partner_is_left_out_and_failures_are_named() -> None:
    records = [*BETTER, run("a", 7, 99.0), run("b", 8, 0.0, status="diverged", metrics={})]
    found = judged(records)
    assert (found.n, found.effect) == (3, pytest.approx(-1.0))
    assert found.measured["b"]["failed"] == {"diverged": 1}
    assert "1 of 4 runs of b: diverged" in found.why


def test_a_diverged_run_does_not_count_even_with_a_loss() -> None:
    assert judged([*BETTER, run("a", 3, 9.0, status="diverged"), run("b", 3, 1.0)]).n == 3


def test_one_pair_is_inconclusive() -> None:
    found = judged(runs(a=[1.0], b=[2.0]))
    assert found.verdict is Word.INCONCLUSIVE
    assert (found.n, found.effect, found.low, found.p_adjusted) == (1, -1.0, None, None)
    assert "too few finished runs (1)" in found.why


def test_no_finished_run_is_inconclusive() -> None:
    found = judged([run("a", 0, 1.0), run("b", 0, 1.0, status="out_of_memory")])
    assert (found.verdict, found.effect, found.n) == (Word.INCONCLUSIVE, None, 0)
    assert "1 of 1 runs of b: out of memory" in found.why


def test_fewer_seeds_than_asked_are_preliminary() -> None:
    found = judged(BETTER, seeds=5)
    assert (found.verdict, found.preliminary) == (Word.REPRODUCED, True)
    assert "preliminary, 3 of 5 seeds" in found.why


def test_inconclusive_says_how_many_seeds_would_do() -> None:
    found = judged(runs(a=[2.5, 1.5, 2.0], b=[2.0] * 3), margin=0.25)
    assert found.power is not None
    assert found.power["seeds_needed"] == 34  # effect of half a standard deviation
    assert "an effect of 0.25 nats would need 34 seeds" in found.why


def test_smoke_never_yields_a_verdict() -> None:
    records = [run("a", 0, 1.0, profile="smoke"), run("b", 0, 1.0, profile="smoke")]
    (found,) = judge([claim()], records, "smoke")
    assert found.verdict is Word.NOT_TESTABLE
    assert "smoke" in found.why


def test_missing_arms_are_named() -> None:
    (found,) = judge([claim()], [run("a", 0, 1.0, profile="quick")], "quick")
    assert found.verdict is Word.NOT_TESTABLE
    assert found.why == "No runs of b in the profile quick; the profile full has them."
    assert found.costs["a"]["params_total"] == 20


def test_other_profiles_do_not_count() -> None:
    (found,) = judge([claim()], BETTER, "quick")
    assert found.verdict is Word.NOT_TESTABLE


def test_a_claim_may_say_why_it_cannot_be_tested() -> None:
    found = judged([], test="", because="No data.")
    assert (found.verdict, found.why) == (Word.NOT_TESTABLE, "No data.")


def test_holm_over_the_claims_that_have_a_p() -> None:
    weak = runs(c=[1.0, 1.0, 1.0], d=[1.3, 1.5, 1.1])  # t = 2.6, p = 0.12
    claims = [
        claim(),
        claim(key="X-02", arms=("c", "d")),
        claim(key="X-03", test="", because="No data."),
    ]
    first, second, third = judge(claims, BETTER + weak, "full")
    assert (first.p_adjusted, second.p_adjusted) == (2 * (first.p or 0), second.p)
    assert third.p_adjusted is None


def test_what_holds_before_holm_only_is_inconclusive() -> None:
    pairs = runs(a=[1.0, 1.9, 2.65], b=[2.0, 3.0, 3.4])  # 1, 1.1, 0.75: p = 0.012
    alone = judged(pairs)
    claims = [claim(key=f"X-0{i}") for i in range(5)]
    together = judge(claims, pairs, "full")
    assert alone.verdict is Word.REPRODUCED
    assert {found.verdict for found in together} == {Word.INCONCLUSIVE}


def test_costs_of_every_arm() -> None:
    costs = {
        "runs": len(BETTER) // 2,
        "params_total": 20,
        "params_active": 10,
        "flops_per_token": 40,
        "seconds_per_step": 0.05,
    }
    assert judged(BETTER).costs == {"a": pytest.approx(costs), "b": pytest.approx(costs)}


def test_a_clear_effect_the_wrong_way_lends_no_weight_to_what_holds_barely() -> None:
    # a is below b with p = 0.012; c is below b too, against the claim and beyond doubt.
    b = [2.0, 3.0, 3.4]
    rows = runs(a=[1.0, 1.9, 2.65], b=b, c=[loss - 1 - 1e-6 * loss for loss in b])
    found = judged(rows, arms=("a", "b", "c"), test="order")
    assert [condition["state"] for condition in found.conditions] == ["holds", "refuted"]
    assert found.p == pytest.approx(2 * (judged(rows).p or 0.0))  # Bonferroni for one of two


def test_equal_input_gives_equal_verdicts_whatever_else_is_judged() -> None:
    rows = {
        arm: [2.0 + 0.1 * (seed * k % 7) for seed in range(9)] for arm, k in (("a", 3), ("b", 5))
    }
    alone = judge([claim()], runs(**rows), "full")
    beside = judge([claim(key="X-02"), claim()], list(reversed(runs(**rows))), "full")
    assert alone[0].interval == "bca"
    assert (alone[0].low, alone[0].high) == (beside[1].low, beside[1].high)
    assert alone == judge([claim()], runs(**rows), "full")


def test_an_unknown_test_is_refused() -> None:
    message = re.escape(f"claim X-01: test=magic: unknown; one of {', '.join(TESTS)}")
    with pytest.raises(ValueError, match=message):
        judged(BETTER, test="magic")


def test_two_records_of_one_run_are_refused() -> None:
    with pytest.raises(ValueError, match="arm=a, seed=0: more than one record"):
        judged([*BETTER, run("a", 0, 1.0)])


def test_json_has_no_number_that_json_does_not_have() -> None:
    for records in (BETTER, BETTER[:1], runs(a=[1.0], b=[2.0]), []):
        entry = judged(records).to_json()
        assert json.loads(json.dumps(entry, allow_nan=False)) == entry
        assert set(entry) >= {
            *("claim", "version", "verdict", "effect", "low", "high", "n", "p_adjusted"),
            *("paper_values", "measured", "matched_on", "costs", "why", "power", "preliminary"),
        }
