"""The disputes, judged in worlds made for them; and what is fixed before the runs."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from moebench.evidence.record import FIRST_FRESH_SEED, RunRecord
from moebench.experiment import read_yaml
from moebench.papers import target
from moebench.papers.claim import VerdictLabel
from moebench.report import fill, markdown_disputes
from moebench.report.paper.disputes import NOT_JUDGED, UNDECIDED, told
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.disputes.claims import (
    BY_BATCH,
    COUNTS,
    DOMAIN,
    DOMAINS,
    HASH,
    LITTLE,
    LOSS,
    NARROW,
    NULL,
    ONE,
    ONE_IN,
    PURE_BATCH,
    ROOMS,
    SEQUENCE,
    SPECIALISED,
    STEP,
    TOKEN,
    TWO,
    TWO_IN,
    TWO_WIDE,
)
from reproductions.disputes.paper import CLAIMS, DISPUTES
from reproductions.disputes.plan import ARMS, HIDDEN, MIXTURE, PLAN, QUICK, ROUTER, SHARED

NAMES = [arm.name for arm in ARMS]
FIRSTS = {claim.test.arms[0] for claim in LOSS if claim.test}
FULL = PLAN.profile("full")
README = Path(__file__).with_name("README.md")


def world(
    losses: Mapping[str, float], following: Mapping[str, float] | float = 0.2
) -> list[RunRecord]:
    """Ten seeds an arm: losses of 3 unless given, and how much of a domain's entropy is told."""
    rng = np.random.default_rng(0)
    known = {NARROW: 3.3, **losses}
    shares = {DOMAIN: 0.5, TOKEN: 0.0}
    records = []
    for arm in [*NAMES, *shares]:
        for seed in range(10):
            loss = known.get(arm, 3.0) + 0.002 * rng.standard_normal()
            given = following.get(arm, 0.2) if isinstance(following, Mapping) else following
            told_T = shares.get(arm, given) + 0.005 * rng.standard_normal()
            layers = {
                f"analysis/{layer}/domain_given_token": told_T * math.log(DOMAINS) + off
                for layer, off in enumerate((-0.01, 0.01))
            }
            metrics = {**layers, "valid/loss@200": loss + known.get(f"{arm} early", 0.0)}
            records.append(run(arm, seed, loss, metrics=metrics))
    return records


def right(records: list[RunRecord]) -> dict[str, str]:
    """Claim of a cell -> what is said of it."""
    disputes = told(DISPUTES, judge(CLAIMS, records, "full"))
    return {row[2]: row[1] for one in disputes for row in one.rows}


def test_there_are_six_questions_and_every_claim_of_ours_is_a_cell_of_one() -> None:
    assert len(DISPUTES) == 6
    cells = Counter(key for one in DISPUTES for key in one.cells.values())
    assert cells == Counter(claim.key for claim in CLAIMS if not claim.control_of)
    assert len(ARMS) <= 26


def test_where_the_first_arms_are_better_the_first_sides_are_right() -> None:
    both = FIRSTS & {claim.test.arms[1] for claim in LOSS if claim.test}
    below = {arm: 2.95 - 0.05 * (arm not in both) for arm in FIRSTS}
    below |= {NULL[0]: 3.0, HASH: 3.1, ONE: 3.0, TWO: 2.95, TWO_IN[1.0]: 2.95}
    found = right(world(below))
    assert set(found.values()) == {one.sides[0].says for one in DISPUTES}, found


def test_where_all_are_alike_the_second_sides_are_right() -> None:
    found = right(world({}, following=0.01))
    assert set(found.values()) == {one.sides[1].says for one in DISPUTES}, found


def test_how_long_and_over_what_can_decide() -> None:
    found = right(world({HASH: 3.0, f"{HASH} early": 0.1}, {STEP: 0.2, SEQUENCE: 0.01}))
    assert found["DP2-01"] == "a learned gate is better than a hash"
    assert found["DP2-02"] == "a hash is as good as a learned gate"
    assert found["DP6-01"] == "experts follow domains"
    assert found["DP6-04"] == "experts hardly follow domains"


def test_nothing_is_decided_where_a_control_fails() -> None:
    """Its claim alone: the others name it in their rows."""
    found = right(world({NULL[0]: 2.5}))
    assert found["DP1-03"] == UNDECIDED
    assert found["DP1-01"] != UNDECIDED


def test_without_runs_nothing_is_said() -> None:
    assert set(right([]).values()) == {NOT_JUDGED}


def test_quick_decides_two_disputes_in_part() -> None:
    """With few seeds, which the sentence says."""
    some = [one for one in world({HASH: 3.1}) if one.arm in QUICK and one.seed < 5]
    quick = judge(CLAIMS, [replace(one, profile="quick") for one in some], "quick")
    when = {one.question: one.when for one in told(DISPUTES, quick)}
    decided = [question for question, sentence in when.items() if "(preliminary)" in sentence]
    assert decided == [DISPUTES[0].question, DISPUTES[1].question]
    # At the pace of a fifth of a second a step, on two cores.
    length = PLAN.profile("quick").settings["trainer.max_steps"]
    assert isinstance(length, int)
    assert len(QUICK) * PLAN.profile("quick").seeds * length * 0.2 / 2 < 15 * 60


def test_seeds_margins_and_controls() -> None:
    for claim in LOSS:
        assert claim.test is not None
        assert claim.test.margin == COUNTS
        assert all(FULL.seeds_of(arm) >= claim.seeds == 10 for arm in claim.arms)
    assert {claim.test.margin for claim in SPECIALISED if claim.test} == {LITTLE}
    controlled = {claim.control_of for claim in CLAIMS if claim.control_of}
    assert controlled == {"DP1-03", "DP6-01"}
    profiles = {one.name: one.first_seed for one in PLAN.profiles}
    assert profiles == {"smoke": 0, "quick": FIRST_FRESH_SEED, "full": FIRST_FRESH_SEED}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [({NULL[0]: 2.9}, VerdictLabel.FAILED), ({NARROW: 3.0}, VerdictLabel.FAILED)],
)
def test_a_control_fails_where_the_test_is_wrong(
    changes: dict[str, float], verdict: VerdictLabel
) -> None:
    found = {one.claim: one.verdict for one in judge(CLAIMS, world(changes), "full")}
    assert verdict in (found["DP1-03n"], found["DP1-03p"])
    assert found["DP6-01p"] is found["DP6-01n"] is VerdictLabel.PASSED


def test_all_experts_are_as_wide_in_all_and_for_a_token() -> None:
    """Shared ones included; but for the narrow control, and where the question is the width."""
    base = read_yaml(target("disputes").configs / MIXTURE[0])["model"]["network"]["init_args"]
    for arm in ARMS:
        given: Any = {ROUTER: base["sparse"]["router"], **arm.settings}
        outer = given[ROUTER]["init_args"]
        router = outer.get("router", given[ROUTER])["init_args"]
        hidden = given.get(HIDDEN, base["sparse"]["experts"]["init_args"]["hidden"])
        shared = given[SHARED]["init_args"]["hidden"] if SHARED in given else 0
        total = router["num_experts"] * hidden + shared
        active = router.get("k", 1) * hidden + shared
        others = {NARROW: (128, 16), TWO_WIDE: (1024, 256)}
        assert (total, active) == others.get(arm.name, (1024, 128)), arm.name


def test_the_rooms_of_one_and_of_two_are_equally_many_rows() -> None:
    """Of equal width, counted over all experts."""
    for share in ROOMS:
        one, two = PLAN.arm(ONE_IN[share]).settings, PLAN.arm(TWO_IN[share]).settings
        factors = [arm[ROUTER]["init_args"]["capacity"]["factor"] for arm in (one, two)]  # type: ignore[index]
        assert factors == [share, 2 * share]


def test_the_readme_has_the_disputes_as_they_stand_without_evidence() -> None:
    """With evidence, the contract of papers compares them."""
    if target("disputes").evidence.exists():
        return
    text = README.read_text()
    block = markdown_disputes(DISPUTES, judge(CLAIMS, [], "full", plan=PLAN))
    assert fill(text, "disputes", block) == text


def test_experts_that_choose_are_said_to_see_later_tokens() -> None:
    for claim in LOSS:
        assert (BY_BATCH in claim.arms[0]) == ("see later tokens" in claim.caution), claim.key


def test_a_run_without_routing_does_not_decide_where_experts_follow_domains() -> None:
    bare = [replace(one, metrics={"valid/loss": 3.0}) for one in world({}) if one.arm == PURE_BATCH]
    assert right(bare)["DP6-03"] == UNDECIDED
