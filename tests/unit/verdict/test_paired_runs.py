"""Which runs judge a claim: finished ones, paired by seed; the others are named."""

from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import claim_of, run, runs, verdict_of
from moebench.verdict.comparisons import Difference
from moebench.verdict.remarks import Footnotes, printed_p, remarks

from .fakes import BETTER, differing, judged


def test_pairs_are_formed_by_seed() -> None:
    # Unpaired the arms overlap wholly; paired the difference is -0.2 each time.
    records = runs(a=[1.0, 5.0, 9.0], b=[1.2, 5.2001, 9.1999])
    assert judged(list(reversed(records))).verdict is VerdictLabel.REPRODUCED


def test_unpaired_seeds_are_dropped_and_failures_named() -> None:
    records = [*BETTER, run("a", 7, 99.0), run("b", 8, 0.0, status="diverged", metrics={})]
    found = judged(records)
    assert (found.n, found.effect) == (3, pytest.approx(-1.0))
    assert found.measured["b"]["failed"] == {"diverged": 1}
    assert "1 of 4 runs of b: diverged" in found.why


def test_a_diverged_run_does_not_count_even_with_a_loss() -> None:
    assert judged([*BETTER, run("a", 3, 9.0, status="diverged"), run("b", 3, 1.0)]).n == 3


def test_one_pair_is_inconclusive() -> None:
    found = judged(runs(a=[1.0], b=[2.0]))
    assert found.verdict is VerdictLabel.INCONCLUSIVE
    assert (found.n, found.effect, found.low, found.p_adjusted) == (1, -1.0, None, None)
    assert "too few finished runs (1)" in found.why


def test_no_finished_run_is_inconclusive() -> None:
    found = judged([run("a", 0, 1.0), run("b", 0, 1.0, status="out_of_memory")])
    assert (found.verdict, found.effect, found.n) == (VerdictLabel.INCONCLUSIVE, None, 0)
    assert "1 of 1 runs of b: out of memory" in found.why


def test_identical_values_have_no_p_and_are_reported() -> None:
    test = Difference(first="a", second="b", margin=0.1)
    same = verdict_of(test, runs(a=[2.0] * 5, b=[3.0] * 5))
    assert (same.verdict, same.effect, printed_p(same)) == (VerdictLabel.REPRODUCED, -1.0, None)
    assert "holds, -1 nats, the same value 5 times; identical values have no spread" in same.why
    assert "p = 0" not in same.why
    assert "the same value 5 times" in remarks(same, Footnotes())
    few = verdict_of(claim_of(test, seeds=7), runs(a=[2.0] * 5, b=[3.0] * 5))
    assert few.preliminary
    noisy = verdict_of(test, runs(a=[2.0, 2.01, 1.99], b=[3.0] * 3))
    assert printed_p(noisy) == noisy.p_adjusted
    assert not any("the same" in told for told in remarks(noisy, Footnotes()))


def test_fewer_than_asked_are_preliminary_and_the_unit_is_named() -> None:
    found = judged(BETTER, seeds=5)
    assert (found.verdict, found.preliminary) == (VerdictLabel.REPRODUCED, True)
    assert "preliminary: 3 of 5 seeds" in found.why
    over_orders = judged(BETTER, seeds=20, replicate="speaker order")
    assert "preliminary: 3 of 20 speaker orders" in over_orders.why
    assert (over_orders.replicate, over_orders.asked) == ("speaker order", 20)


def test_costs_of_every_arm() -> None:
    costs = {"runs": 3, "params_total": 40, "params_active": 20, "flops_per_token": 100}
    expected = pytest.approx({**costs, "seconds_per_step": 1.0})
    assert judged(BETTER).costs == {"a": expected, "b": expected}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": "diverged"}, "1 of 5 runs of a: diverged"),
        ({"status": "out_of_memory"}, "1 of 5 runs of a: out of memory"),
        ({"metrics": {}}, "1 of 5 runs of a: without valid/loss"),
        ({"metrics": {"valid/loss": inf}}, "1 of 5 runs of a: without valid/loss"),
        ({"metrics": {"valid/loss": nan}}, "1 of 5 runs of a: without valid/loss"),
    ],
)
def test_runs_that_do_not_count_are_named_in_the_row(changes: dict[str, Any], told: str) -> None:
    records = differing(-1.0, -1.1, -0.9, -1.05, -0.95)
    found = judged([replace(records[0], **changes), *records[1:]])
    assert (found.verdict, found.n) == (VerdictLabel.REPRODUCED, 4)
    assert told in found.why
    assert told in remarks(found, Footnotes())


def test_two_records_of_one_run_are_refused() -> None:
    with pytest.raises(ValueError, match="arm=a, seed=0: more than one record"):
        judged([*BETTER, run("a", 0, 1.0)])
