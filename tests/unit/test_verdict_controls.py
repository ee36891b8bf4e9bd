"""Failed controls overturn verdicts, equal means measured equal, and open choices are named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, ClaimTest, VerdictLabel
from moebench.testing.verdicts import claim_of, run, verdict_of
from moebench.verdict import Verdict, judge
from moebench.verdict.comparisons import Difference
from moebench.verdict.conditions import State, all_of, any_of, below, mean_is
from moebench.verdict.findings import Findings, under_choices
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.remarks import Footnotes, remarks

MARGIN = 0.1
COUNTS, NOTHING, UNCLEAR = [-1.0, -1.1, -0.9], [0.01, -0.01, 0.0], [0.5, -0.5, 0.0]


def world(name: str, differences: Sequence[float], **changes: Any) -> list[RunRecord]:
    """Runs of two arms that differ by these amounts per seed; the changes apply to one arm."""
    pairs = list(enumerate(differences))
    ours = [run(f"{name}_a", seed, 2.0 + d, **changes) for seed, d in pairs]
    return ours + [run(f"{name}_b", seed, 2.0) for seed, _ in pairs]


def claim(name: str, **changes: Any) -> Claim:
    test = Difference(first=f"{name}_a", second=f"{name}_b", margin=MARGIN)
    return claim_of(**{"test": test, "key": name, "matched_on": None, **changes})


CLAIMS = [
    claim("X"),
    claim("null", control_of="X", expects="no effect"),
    claim("positive", control_of="X", expects="effect"),
    claim("Y", uncontrolled="No such world."),
]


def judged(of_null: Sequence[float], of_positive: Sequence[float]) -> list[Verdict]:
    """The verdicts if the claims themselves hold."""
    controls = world("null", of_null) + world("positive", of_positive)
    return judge(CLAIMS, world("X", COUNTS) + world("Y", COUNTS) + controls, "full")


@pytest.mark.parametrize(
    ("of_null", "of_positive", "null", "positive", "word"),
    [
        (NOTHING, COUNTS, VerdictLabel.PASSED, VerdictLabel.PASSED, VerdictLabel.REPRODUCED),
        (UNCLEAR, UNCLEAR, VerdictLabel.UNDECIDED, VerdictLabel.UNDECIDED, VerdictLabel.REPRODUCED),
        (COUNTS, COUNTS, VerdictLabel.FAILED, VerdictLabel.PASSED, VerdictLabel.INCONCLUSIVE),
        (NOTHING, NOTHING, VerdictLabel.PASSED, VerdictLabel.FAILED, VerdictLabel.INCONCLUSIVE),
        (
            [-0.01, -0.011, -0.009],
            COUNTS,
            VerdictLabel.PASSED,
            VerdictLabel.PASSED,
            VerdictLabel.REPRODUCED,
        ),
    ],
)
def test_a_control_passes_or_fails_by_the_test_of_its_claim(
    of_null: Sequence[float],
    of_positive: Sequence[float],
    null: VerdictLabel,
    positive: VerdictLabel,
    word: VerdictLabel,
) -> None:
    ours, *controls, other = judged(of_null, of_positive)
    assert [one.verdict for one in controls] == [null, positive]
    assert ours.verdict is word
    assert ours.controls == {"null": f"null {null}", "positive": f"positive {positive}"}
    assert other.verdict is VerdictLabel.REPRODUCED, "that has no control"
    assert (other.controls, other.uncontrolled) == ({}, "No such world.")


def test_a_failed_control_is_named_with_the_original_verdict() -> None:
    ours, *_ = judged(COUNTS, COUNTS)
    assert ours.why.startswith("Control failed: null. Otherwise: reproduced, X_a has a lower ")
    assert ours.effect == pytest.approx(-1.0)


def test_a_failed_control_also_overturns_a_refutation() -> None:
    rows = [*world("X", NOTHING), *world("null", NOTHING), *world("positive", NOTHING)]
    ours, *_ = judge(CLAIMS, rows, "full")
    assert ours.verdict is VerdictLabel.INCONCLUSIVE
    assert "Control failed: positive. Otherwise: not reproduced" in ours.why


def test_a_control_that_was_not_run_is_mentioned_and_overturns_nothing() -> None:
    ours, null, *_ = judge(CLAIMS, world("X", COUNTS), "quick")
    assert {ours.verdict, null.verdict} == {VerdictLabel.NEEDS_FULL}
    ours, null, *_ = judge(CLAIMS, world("X", COUNTS) + world("positive", COUNTS), "full")
    assert ours.verdict is VerdictLabel.REPRODUCED
    assert ours.controls["null"] == f"null control {null.verdict}"


def test_controls_do_not_affect_the_correction() -> None:
    ours, *_, other = judged(NOTHING, COUNTS)
    assert ours.p_adjusted == other.p_adjusted == pytest.approx(2 * (ours.p or 0))


def test_remarks_on_a_row() -> None:
    notes = Footnotes()
    ours, null, _, other = judged(NOTHING, UNCLEAR)
    assert remarks(ours, notes) == [
        "null control passed (null)",
        "positive control undecided (positive)",
    ]
    assert remarks(null, notes) == ["null control of X"]
    assert remarks(other, notes) == ["no control [1]"]
    assert remarks(other, notes) == ["no control [1]"], "one number a reason"
    assert notes.lines == ["[1] No such world."]
    [half, _] = judge(
        [claim("X", uncontrolled="None."), CLAIMS[1]],
        world("X", COUNTS) + world("null", NOTHING),
        "full",
    )
    assert remarks(half, notes) == ["null control passed (null)", "no positive control [2]"]


def test_a_caution_is_a_remark() -> None:
    notes = Footnotes()
    found = verdict_of(claim("X", caution="Of trials."), world("X", COUNTS))
    assert remarks(found, notes) == ["caution [1]"]
    assert notes.lines == ["[1] Of trials."]


# Equal cost


@pytest.mark.parametrize(
    ("matched_on", "changes", "told"),
    [
        ("active_flops", {"flops_per_token": 140.0}, ["FLOPs ×1.40 (X_a to X_b)"]),
        ("active_flops", {"flops_per_token": 75.0}, ["FLOPs ×0.75 (X_a to X_b)"]),
        ("active_flops", {"flops_per_token": 104.9}, []),
        ("active_flops", {"params_total": 99}, []),
        ("total_params", {"params_total": 44}, ["parameters ×1.10 (X_a to X_b)"]),
        ("step_time", {"tokens_per_second": 9.35}, []),  # 7% longer
        ("step_time", {"tokens_per_second": 8.0}, ["time ×1.25 (X_a to X_b)"]),
        ("steps", {"flops_per_token": 140.0}, []),
        (None, {"flops_per_token": 140.0}, []),
    ],
)
def test_costs_that_are_not_equal_as_claimed(
    matched_on: str | None, changes: Mapping[str, Any], told: list[str]
) -> None:
    records = world("X", COUNTS, **changes)
    found = verdict_of(claim("X", matched_on=matched_on), records)
    assert remarks(found, Footnotes()) == told


def test_the_most_unequal_pair_is_named() -> None:
    found = verdict_of(claim("X", matched_on="active_flops"), world("X", COUNTS))
    unequal = {"a to b": 1.1, "a to c": 0.5, "a to d": 1.4}
    shown = Verdict(**{**vars(found), "unequal": unequal})
    assert remarks(shown, Footnotes()) == ["FLOPs ×0.50 (a to c) and 2 more pairs"]


# Choices


@dataclass(frozen=True, kw_only=True)
class Chosen(ClaimTest):
    """One arm is lower than the other, by any of several metrics."""

    metrics: tuple[str, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """Both arms."""
        return ("a", "b")

    def judge(self, evidence: Evidence) -> Findings:
        """Judge by every metric."""
        found = []
        for metric in self.metrics:
            a, b = evidence.paired(metric, "a", "b")
            found.append(mean_is("a < b", a - b, below(self.margin), "nats", choice=metric))
        lead, choices = under_choices("a has a lower metric than b", found)
        return Findings(lead, choices=choices)


def chosen(*rows: Sequence[float], **changes: Any) -> Verdict:
    """Judge under choices with these differences."""
    by_name = {f"m{i}": row for i, row in enumerate(rows)}
    worse = {"a": 1.0, "b": 0.0}
    records = [
        run(arm, seed, 0.0, metrics={name: 2 + worse[arm] * d[seed] for name, d in by_name.items()})
        for seed in range(3)
        for arm in worse
    ]
    test = Chosen(metrics=tuple(by_name), margin=MARGIN)
    return verdict_of(claim("X", **{"test": test, **changes}), records)


def two_sided(t: float) -> float:
    """The two-sided p of Student's t with 2 degrees of freedom."""
    return 1 - t / sqrt(2 + t * t)


SURER = [-1.0, -1.01, -0.99]
P_COUNTS = two_sided(0.95 / (0.1 / sqrt(3)))  # of the effect not passing half of the margin
P_SURER = two_sided(0.95 / (0.01 / sqrt(3)))
P_NOTHING = two_sided(0.1 / (0.01 / sqrt(3)))  # of the effect passing the margin


def test_under_all_choices_the_largest_p_counts() -> None:
    found = chosen(SURER, COUNTS)
    assert (found.verdict, found.p) == (VerdictLabel.REPRODUCED, pytest.approx(P_COUNTS))
    assert found.low == pytest.approx(-1 - 4.302653 * 0.1 / sqrt(3), abs=1e-5), "that of COUNTS"
    assert "holds under both choices (m0; m1)" in found.why


def test_refuted_under_all_choices_the_largest_p_counts() -> None:
    found = chosen([1.0, 1.01, 0.99], NOTHING)
    assert (found.verdict, found.p) == (VerdictLabel.NOT_REPRODUCED, pytest.approx(P_NOTHING))
    assert found.effect == pytest.approx(0.0)


def test_choices_that_hold_are_named_and_corrected_for() -> None:
    found = chosen(NOTHING, SURER, UNCLEAR)
    assert (found.verdict, found.p) == (VerdictLabel.PARTIAL, pytest.approx(3 * P_SURER))
    assert found.effect == pytest.approx(-1.0), "the effect that has this p"
    for told in (
        "a has a lower metric than b: open overall",
        "holds under 1 of 3 choices (m1)",
        "refuted under 1 of 3 choices (m0)",
        "open under 1 of 3 choices (m2)",
        "numbers shown: m1: a < b: holds, -1 [",
    ):
        assert told in found.why
    assert [condition["choice"] for condition in found.conditions] == ["m0", "m1", "m2"]


def test_a_row_that_depends_on_a_choice_says_so() -> None:
    assert remarks(chosen(NOTHING, SURER, UNCLEAR), Footnotes()) == [
        "3 choices: holds under 1, refuted under 1, open under 1; shown: m1"
    ]
    assert remarks(chosen(SURER, COUNTS), Footnotes()) == []


def test_one_choice_of_many_may_hold_by_chance() -> None:
    barely = [-0.23, -0.17, -0.2]  # p = 0.013
    assert chosen(barely, NOTHING).verdict is VerdictLabel.PARTIAL
    assert chosen(barely, *[NOTHING] * 3).verdict is VerdictLabel.INCONCLUSIVE


def test_a_null_control_fails_if_a_choice_finds_something() -> None:
    null = {"control_of": "Y", "expects": "no effect"}
    assert chosen(NOTHING, SURER, **null).verdict is VerdictLabel.FAILED
    assert chosen(NOTHING, UNCLEAR, **null).verdict is VerdictLabel.UNDECIDED
    assert chosen(NOTHING, NOTHING, **null).verdict is VerdictLabel.PASSED
    # p = 0.013 under one of four choices may be chance.
    found = chosen([-0.23, -0.17, -0.2], *[NOTHING] * 3, **null)
    assert found.verdict is VerdictLabel.UNDECIDED


# What is shown is what has the p


@pytest.mark.parametrize(
    "rows",
    [
        [COUNTS, SURER],
        [COUNTS, UNCLEAR],
        [UNCLEAR, [0.2, -0.4, 0.1]],
        [NOTHING, COUNTS],
        [NOTHING, [1.0, 1.01, 0.99]],
        [COUNTS, UNCLEAR, NOTHING],
    ],
)
@pytest.mark.parametrize("together", [all_of, any_of])
def test_the_p_belongs_to_the_condition_shown(together: Any, rows: Any) -> None:
    single = [mean_is(str(i), np.array(row), below(MARGIN), "") for i, row in enumerate(rows)]
    found = together("several", single)
    (shown,) = [one for one in single if one.effect == found.effect]
    assert found.p_of_state is not None
    assert shown.p is not None
    assert shown.p_refuted is not None
    own = shown.p_refuted if found.state is State.REFUTED else shown.p
    assert found.p_of_state in (pytest.approx(own), pytest.approx(min(1, len(rows) * own)))
