"""The disputes, judged in worlds made for them; and what is fixed before the runs."""

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
from moebench.verdict.comparisons import Difference
from reproductions.disputes import known_shares
from reproductions.disputes.claims import (
    CELLS,
    COUNTS,
    DOMAIN,
    EXPERTS,
    FINE,
    FOLLOWS,
    FOUR,
    GROUPS,
    HASH,
    LAYERS,
    NARROW,
    NEARLY,
    OF_NULL,
    ONE_LIMITED,
    PURE,
    PURE_GROUPS,
    SEEDS,
    SHARED_OF_2,
    SHARED_OF_4,
    TOKEN,
    TWO,
    TWO_LIMITED,
    TWO_WIDE,
    WEIGHT_ONE,
)
from reproductions.disputes.paper import CLAIMS, DISPUTES
from reproductions.disputes.plan import ARMS, HIDDEN, PLAN, QUICK, ROUTER, SHARED

NAMES = [arm.name for arm in ARMS]
FULL = PLAN.profile("full")
README = Path(__file__).with_name("README.md")
# Every first arm below the second of its claim; two of 16 experts are first in one, second in two.
FIRSTS = {
    **dict.fromkeys((TWO_LIMITED, TWO_WIDE, WEIGHT_ONE, SHARED_OF_4, EXPERTS, PURE), 2.9),
    **{TWO: 2.95, NEARLY: 2.95, SHARED_OF_2: 2.9, HASH: 3.1},
}


def world(losses: Mapping[str, float], following: Mapping[str, float] = {}) -> list[RunRecord]:
    """Runs of all arms: losses of 3 unless given, and how much experts follow domains."""
    rng = np.random.default_rng(0)
    known = {NARROW: 3.2, **losses}
    shares = {DOMAIN: 0.2, TOKEN: 0.0, **following}
    records = []
    for arm in [*NAMES, DOMAIN, TOKEN]:
        for seed in range(FULL.seeds_of(arm)):
            loss = known.get(arm, 3.0) + 0.001 * rng.standard_normal()
            share = shares.get(arm, 0.1) + 0.005 * rng.standard_normal()
            metrics = {
                f"analysis/{layer}/domain_share_given_token": share + off
                for layer, off in enumerate((-0.02, 0.02, -0.01, 0.01))
            }
            records.append(run(arm, seed, loss, metrics=metrics))
    return records


def right(records: list[RunRecord]) -> dict[str, str]:
    """Claim of a cell -> what is said of it."""
    disputes = told(DISPUTES, judge(CLAIMS, records, "full"))
    return {row[2]: row[1] for one in disputes for row in one.rows}


def test_there_are_six_questions_and_every_claim_of_ours_is_a_cell_of_one() -> None:
    assert len(DISPUTES) == 6
    cells = Counter(key for one in DISPUTES for key in one.cells.values())
    assert cells == Counter(claim.key for claim in CELLS)
    assert len(ARMS) <= 26


def test_where_the_first_arms_are_better_the_first_sides_are_right() -> None:
    found = right(world(FIRSTS, {TWO: 0.3, NEARLY: 0.3, PURE: 0.3}))
    assert set(found.values()) == {one.sides[0].says for one in DISPUTES}, found


def test_where_all_are_alike_the_second_sides_are_right() -> None:
    found = right(world({}))
    assert set(found.values()) == {one.sides[1].says for one in DISPUTES}, found


def test_a_hinge_can_decide() -> None:
    found = right(world({ONE_LIMITED: 3.1, WEIGHT_ONE: 2.9}, {PURE: 0.3}))
    assert found["DP1-01"] == "two experts a token are better than one"
    assert found["DP1-02"] == "one expert a token is enough"
    assert found["DP2-01"] == "a hash is as good as a learned gate"
    assert found["DP2-02"] == "a learned gate is better than a hash"
    assert found["DP6-01"] == "experts follow domains more under a wider balance loss"
    assert found["DP6-02"] == "experts follow domains no more under a wider balance loss"


@pytest.mark.parametrize(
    ("losses", "following", "undecided"),
    [
        ({NEARLY: 3.1}, {}, {cell.key for cell in CELLS if isinstance(cell.test, Difference)}),
        ({NARROW: 3.0}, {}, {cell.key for cell in CELLS if isinstance(cell.test, Difference)}),
        ({}, {NEARLY: 0.0}, {"DP6-01", "DP6-02"}),
        ({}, {DOMAIN: 0.0}, {"DP6-01", "DP6-02"}),
    ],
)
def test_no_cell_is_decided_where_a_control_of_its_test_fails(
    losses: Mapping[str, float], following: Mapping[str, float], undecided: set[str]
) -> None:
    found = right(world(losses, following))
    assert {key for key, said in found.items() if said == UNDECIDED} == undecided


def test_without_runs_nothing_is_said() -> None:
    assert set(right([]).values()) == {NOT_JUDGED}


def test_quick_judges_one_value_with_fewer_seeds_which_the_sentence_says() -> None:
    profile = PLAN.profile("quick")
    some = [one for one in world({HASH: 3.1}) if one.arm in QUICK and one.seed < profile.seeds]
    quick = judge(CLAIMS, [replace(one, profile="quick") for one in some], "quick")
    when = {one.question: one.when for one in told(DISPUTES, quick)}
    decided = [question for question, sentence in when.items() if "(preliminary)" in sentence]
    assert decided == [DISPUTES[1].question]
    length = profile.settings["trainer.max_steps"]
    assert isinstance(length, int)
    assert len(QUICK) * profile.seeds * length <= 6000


def test_seeds_margins_and_controls() -> None:
    margins = {"DP1": FINE, "DP5": FINE, "DP6": FOLLOWS}
    for cell in CELLS:
        assert cell.test is not None
        assert cell.test.margin == margins.get(cell.key[:3], COUNTS)
        assert all(FULL.seeds_of(arm) >= cell.seeds == SEEDS for arm in cell.arms)
        controls = [one for one in CLAIMS if one.control_of == cell.key]
        assert {one.expects for one in controls} == {"effect", "no effect"}
    of_null = [one for one in CLAIMS if one.expects == "no effect"]
    assert {one.seeds for one in of_null} == {OF_NULL}
    assert {FULL.seeds_of(arm) for one in of_null for arm in one.arms} == {OF_NULL}
    profiles = {one.name: one.first_seed for one in PLAN.profiles}
    assert profiles == {"smoke": 0, "quick": FIRST_FRESH_SEED, "full": FIRST_FRESH_SEED}


def test_the_controls_of_equal_arms_pass() -> None:
    controls = [one for one in judge(CLAIMS, world({}), "full") if one.claim[-1] in "pn"]
    assert {one.verdict for one in controls} == {VerdictLabel.PASSED}


def test_known_routing_follows_domains_by_little_more_than_counts() -> None:
    """More than none by a few margins: a control that passes whatever the test is shows nothing."""
    for seed, metrics in known_shares.domain().items():
        shares = [metrics[f"analysis/{layer}/domain_share_given_token"] for layer in range(LAYERS)]
        assert seed >= FIRST_FRESH_SEED
        assert FOLLOWS < np.mean(shares) < 4 * FOLLOWS
    [first, *_] = known_shares.token().values()
    assert first["analysis/0/domain_share_given_token"] == pytest.approx(0.0, abs=0.01)


def test_all_experts_are_as_wide_in_all_and_for_a_token() -> None:
    """Shared ones included; but for the narrow control, and where the question is the width."""
    for arm in ARMS:
        given: Any = {}
        for name in arm.configs:
            network = read_yaml(target("disputes").configs / name).get("model", {}).get("network")
            given |= {} if network is None else network["init_args"]["sparse"]
        hidden = arm.settings.get(HIDDEN, given["experts"]["init_args"]["hidden"])
        outer: Any = arm.settings.get(ROUTER, given["router"])
        router = outer["init_args"].get("router", outer)["init_args"]
        shared: Any = arm.settings.get(SHARED)
        of_shared = shared["init_args"]["hidden"] if shared else 0
        total = router["num_experts"] * hidden + of_shared
        active = router.get("k", 1) * hidden + of_shared
        others = {NARROW: (512, 64), TWO_WIDE: (1024, 256), TWO_LIMITED: (1024, 256)}
        assert (total, active) == others.get(arm.name, (1024, 128)), arm.name


def test_one_and_two_have_the_capacity_that_the_papers_give_them() -> None:
    """The factor counts tokens, not requests: two a token have room for half of theirs."""
    for name in (ONE_LIMITED, TWO_LIMITED):
        router: Any = PLAN.arm(name).settings[ROUTER]
        assert router["init_args"]["capacity"] == {"factor": 1.0, "priority": "position"}


def test_the_readme_has_the_disputes_as_they_stand_without_evidence() -> None:
    """With evidence, the contract of papers compares them."""
    if target("disputes").evidence.exists():
        return
    text = README.read_text()
    block = markdown_disputes(DISPUTES, judge(CLAIMS, [], "full", plan=PLAN))
    assert fill(text, "disputes", block) == text


def test_a_run_without_routing_does_not_decide_where_experts_follow_domains() -> None:
    records = [
        replace(one, metrics={"valid/loss": 3.0}) if one.arm in (PURE, PURE_GROUPS) else one
        for one in world({}, {TWO: 0.3, NEARLY: 0.3})
    ]
    found = right(records)
    assert found["DP6-01"] == UNDECIDED
    assert found["DP6-02"] == DISPUTES[5].sides[0].says


def test_arms_that_are_compared_differ_in_their_question_alone() -> None:
    """Balanced with one weight, but for what needs no balance and the null control."""
    data = {arm.name: [one for one in arm.configs if one != "examined.yaml"] for arm in ARMS}
    for cell in CELLS:
        first, second = cell.arms
        assert data[first] == data[second], cell.key
    assert data[GROUPS] == data[TWO] == data[FOUR]
