"""Evidence that must not be judged or shown together, and the reasons given."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers import Target
from moebench.papers.claim import Paper, VerdictLabel
from moebench.papers.plan import PaperTable, Plan
from moebench.report.paper.costs import cost_rows
from moebench.report.paper.own_tables import tables_of
from moebench.report.paper.verdict_table import table
from moebench.testing.verdicts import claim_of, run
from moebench.verdict import judge
from moebench.verdict.comparisons import Difference, Order
from moebench.verdict.mixed_evidence import mixed_arm, mixed_claims

CLAIM = claim_of(Difference(first="a", second="b", margin=0.1))


def of(arm: str, seed: int, loss: float, **changes: Any) -> RunRecord:
    given = {"data_hash": "d" * 64, "versions": {"moebench": "1"}}
    return run(arm, seed, loss, **{**given, **changes})


def evidence(**changes: Any) -> list[RunRecord]:
    """Runs that support the claim; the changes apply to b, the dense arm."""
    ours = [of("a", seed, loss) for seed, loss in enumerate([1.0, 1.9, 2.6])]
    return ours + [of("b", s, loss, **changes) for s, loss in enumerate([2.0, 3.0, 3.5])]


def test_consistent_runs_are_judged() -> None:
    [verdict] = judge([CLAIM], evidence(), "full")
    assert verdict.verdict is VerdictLabel.REPRODUCED
    assert mixed_claims([CLAIM], evidence()) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data_hash": "e" * 64}, "b used different data (eeeeeeee, dddddddd) from a"),
        ({"data_version": 2}, "b used a different version of the data (2, 1) from a"),
        ({"versions": {"moebench": "2"}}, "moebench differs between runs (1, 2)"),
        (
            {"tokens": 800},
            "a was trained for 10 steps on 100 tokens; b was trained for 10 steps on 800 tokens",
        ),
        (
            {"steps": 200},
            "a was trained for 10 steps on 100 tokens; b was trained for 200 steps on 100 tokens",
        ),
    ],
)
def test_an_inconsistent_arm_is_not_judged(changes: Mapping[str, Any], why: str) -> None:
    [verdict] = judge([CLAIM], evidence(commit="another", **changes), "full")
    assert verdict.verdict is VerdictLabel.INCONCLUSIVE
    assert verdict.why == f"Not judged, because the evidence is mixed: {why}."
    assert verdict.effect is None


def test_commits_may_differ() -> None:
    [verdict] = judge([CLAIM], evidence(commit="another"), "full")
    assert verdict.verdict is VerdictLabel.REPRODUCED


def test_code_recorded_by_both_arms_must_agree() -> None:
    ours = [replace(record, code={"their.data": "1", "their.router": "5"}) for record in evidence()]
    alike = [replace(one, code={"their.data": "1"}) if one.arm == "b" else one for one in ours]
    assert judge([CLAIM], alike, "full")[0].verdict is VerdictLabel.REPRODUCED
    other = [replace(one, code={"their.data": "2"}) if one.arm == "b" else one for one in ours]
    [verdict] = judge([CLAIM], other, "full")
    assert "their.data differs between runs (1, 2)" in verdict.why


def test_a_claim_may_group_arms_with_different_data() -> None:
    arms = ("a", "b", "a2", "b2")
    second = [replace(one, arm=f"{one.arm}2", data_hash="e" * 64) for one in evidence()]
    claim = replace(CLAIM, test=Order(ordered=arms))
    grouped = replace(claim, same_data=(("a", "b"), ("a2", "b2")))
    assert mixed_claims([claim], [*evidence(), *second]) != []
    assert mixed_claims([grouped], [*evidence(), *second]) == []
    assert (
        "b used different data"
        in mixed_claims([grouped], [*evidence(data_hash="f" * 64), *second])[0]
    )


def test_same_data_groups_list_every_arm_once() -> None:
    with pytest.raises(ValueError, match="same_data: must list every arm once"):
        replace(CLAIM, same_data=(("a",),))
    with pytest.raises(ValueError, match="same_data: must list every arm once"):
        replace(CLAIM, same_data=(("a", "b"), ("b",)))


def test_the_seeds_of_an_arm_must_agree() -> None:
    same = [of("a", 0, 1.0), of("a", 1, 1.0)]
    assert mixed_arm(same) == ""
    for changes, why in (
        ({"data_hash": "e"}, "its seeds have 2 data sets"),
        ({"config_hash": "other"}, "its seeds have 2 configurations"),
        ({"data_version": 2}, "its seeds used versions 1, 2 of the data"),
        ({"versions": {"moebench": "2"}}, "moebench differs between runs (1, 2)"),
    ):
        assert mixed_arm([same[0], replace(same[1], **changes)]).startswith(why)
    edited = [replace(one, code={"their.router": str(one.seed)}) for one in same]
    assert mixed_arm(edited) == "their.router differs between runs (0, 1)"
    more = [
        replace(one, code={"their.router": "1", **({"their.deep": "2"} if one.seed else {})})
        for one in same
    ]
    assert mixed_arm(more) == "only some of its seeds ran the code their.deep"
    older = [replace(one, code={"their.router": "1"} if one.seed else {}) for one in same]
    assert mixed_arm(older) == ""
    failed = replace(same[1], status="failed", data_hash="")
    assert mixed_arm([same[0], failed]) == ""


def test_runs_of_two_targets_are_not_judged_together() -> None:
    [verdict] = judge([CLAIM], evidence(target="y"), "full")
    assert verdict.verdict is VerdictLabel.INCONCLUSIVE
    assert "the runs belong to 2 targets: x, y" in verdict.why


def test_an_inconsistent_arm_has_no_mean_anywhere() -> None:
    """Neither in the verdict nor in the table of costs; the other arm has one."""
    first, *others = evidence()
    [verdict] = judge([CLAIM], [replace(first, data_hash="e"), *others], "full")
    assert verdict.measured["a"]["mean"] is None
    assert verdict.measured["b"]["mean"] == pytest.approx(8.5 / 3)
    rows = table([verdict]).splitlines()
    assert any(row.startswith("b  ") for row in rows)
    assert not any(row.startswith("a  ") for row in rows)


def test_costs_of_a_mixed_arm_have_no_mean() -> None:
    [row] = cost_rows([of("a", 0, 1.0), of("a", 1, 1.0, data_hash="e")])
    assert "a (mixed: its seeds have 2 data sets" in row[0]
    assert set(row[2:]) == {"–"}


def tables(records: Sequence[RunRecord]) -> Sequence[PaperTable]:
    """Tables of a paper, as its plan names them."""
    return [PaperTable("t", "Table 1", "Losses.", ["arm"], [[one.arm] for one in records])]


def test_tables_of_a_paper_refuse_mixed_evidence() -> None:
    paper = Paper(key="p", title="", authors="", year=2024, arxiv="")
    plan = Plan([], [], {}, tables=f"{__name__}:tables")
    found = Target(paper, [CLAIM], plan, Path(), Path())
    [shown] = tables_of(found, evidence())
    assert len(shown.rows) == 6
    [table] = tables_of(found, evidence(data_hash="e" * 64))
    assert table.rows == ()
    assert "b used different data" in table.caption


def test_runs_of_another_target_do_not_mix_with_ours() -> None:
    assert mixed_claims([replace(CLAIM, runs_of="other")], evidence(data_hash="e" * 64)) == []


def test_arms_trained_in_different_precisions_are_not_judged() -> None:
    ours = [replace(one, precision="bf16-mixed") for one in evidence() if one.arm == "a"]
    theirs = [replace(one, precision="32-true") for one in evidence() if one.arm == "b"]
    why = "a was trained in bf16-mixed; b was trained in 32-true"
    assert mixed_claims([CLAIM], [*ours, *theirs]) == [why]
    apart = replace(CLAIM, same_data=(("a",), ("b",)))
    assert mixed_claims([apart], [*ours, *theirs]) == []
    assert mixed_claims([CLAIM], [*ours, *(one for one in evidence() if one.arm == "b")]) == []


def test_arms_that_stop_at_a_criterion_may_differ_in_length() -> None:
    records = evidence(steps=200, tokens=800)
    assert mixed_claims([replace(CLAIM, matched_on="total_params")], records) == []
    assert mixed_claims([replace(CLAIM, matched_on=None)], records) == []
    diverged = [*evidence(), replace(records[-1], seed=9, status="diverged")]
    assert mixed_claims([CLAIM], diverged) == []


def test_a_copied_run_is_detected() -> None:
    curve = {f"valid/loss@{step}": 3.0 - step / 100 for step in range(10)}
    first, other, third = [
        replace(one, metrics={**curve, **one.metrics}) for one in evidence() if one.arm == "a"
    ]
    assert mixed_arm([first, other, third]) == ""
    why = "its seeds 0 and 7 have identical metrics, so one is a copy of the other"
    assert mixed_arm([first, other, replace(first, seed=7)]) == why
    # One number may be the same by chance.
    assert mixed_arm([run("a", 0, 2.0), run("a", 1, 2.0)]) == ""
