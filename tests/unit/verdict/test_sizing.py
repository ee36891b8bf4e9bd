"""What planned seeds decide: tabled numbers of the t test, and worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from moebench.papers.claim import Claim, ClaimTest, VerdictLabel
from moebench.papers.plan import Arm, Plan, Profile
from moebench.testing.verdicts import claim_of, run, runs, verdict_of
from moebench.verdict.comparisons import Difference, Equivalence
from moebench.verdict.sizing import size

LOWER = Difference(first="a", second="b", margin=1.0)
SAME = Equivalence(first="a", second="b", margin=1.0)
# Differences -2, -1 and 0: standard deviation 1.
ONE = runs(a=[0.0, 1.0, 2.0], b=[2.0, 2.0, 2.0])
PLAN = Plan([Arm("a", []), Arm("b", [])], [], {})
CLAIM = claim_of(LOWER)


def full(seeds: int, **more: int) -> Profile:
    return Profile("full", ["a", "b"], seeds, {}, more_seeds=more)


@pytest.mark.parametrize(("test", "needed"), [(LOWER, 10), (SAME, 13)])
def test_the_seeds_of_a_paired_t_test(test: ClaimTest, needed: int) -> None:
    """For an effect of one standard deviation, tables say 10 pairs for 80%, and 13 for 90%."""
    for seeds, enough in ((needed - 1, False), (needed, True)):
        found = size(claim_of(test), PLAN, full(seeds), ONE)
        assert (found.seeds, found.needed, found.enough) == (seeds, needed, enough)
        assert (found.detectable <= test.margin) is enough
        assert found.unknown == ""


@pytest.mark.parametrize(
    ("test", "truth", "label"),
    [
        (LOWER, 0.0, VerdictLabel.NOT_REPRODUCED),
        (LOWER, -1.5, VerdictLabel.REPRODUCED),
        (SAME, 0.0, VerdictLabel.REPRODUCED),
    ],
)
def test_so_many_seeds_decide(test: ClaimTest, truth: float, label: VerdictLabel) -> None:
    needed = size(claim_of(test), PLAN, full(5), ONE).needed
    assert needed is not None
    worlds = np.random.default_rng(1).normal(truth, 1.0, (400, needed))
    right = [verdict_of(test, runs(a=list(one), b=[0.0] * needed)).verdict for one in worlds]
    # A share of 0.8 in 400 worlds has a standard error of 0.02.
    assert right.count(label) / len(worlds) > 0.74


def test_the_arm_with_fewest_seeds_limits_a_claim() -> None:
    assert size(CLAIM, PLAN, full(5, a=10), ONE).seeds == 5
    assert size(CLAIM, PLAN, full(5, a=10, b=8), ONE).seeds == 8
    several = replace(PLAN, seeds_in_a_run=lambda number: {"seeds": number})
    assert size(replace(CLAIM, seeds=25), several, full(1), ONE).seeds == 25


@pytest.mark.parametrize(
    ("claim", "earlier", "why"),
    [
        (CLAIM, runs(a=[1.0, 2.0]), "no runs of b"),
        (CLAIM, runs(a=[1.0], b=[2.0]), "fewer than two pairs"),
        (CLAIM, [*ONE, run("b", 3, config_hash="other")], "mixed evidence: b: its seeds have 2"),
        (claim_of(replace(LOWER, margin=0.0)), ONE, "no smallest effect"),
    ],
)
def test_it_says_why_nothing_is_known(claim: Claim, earlier: list, why: str) -> None:
    found = size(claim, PLAN, full(5), earlier)
    assert found.unknown.startswith(why)
    assert (found.needed, found.enough) == (None, None)
