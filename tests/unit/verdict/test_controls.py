"""Failed controls overturn verdicts, and equal means measured equal."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import Claim, VerdictLabel
from moebench.testing.verdicts import claim_of, run, verdict_of
from moebench.verdict import Verdict, judge
from moebench.verdict.comparisons import Difference
from moebench.verdict.remarks import Footnotes, remarks

from .fakes import MARGIN

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


@pytest.mark.parametrize(
    ("matched_on", "told"),
    [
        ("step_time", ["equal time unknown: timed on several machines (X_a to X_b)"]),
        ("active_flops", []),
    ],
)
@pytest.mark.parametrize("pace", [8.0, 10.0])
def test_times_of_several_machines_are_not_called_equal_or_unequal(
    matched_on: str, told: list[str], pace: float
) -> None:
    other = {"hardware": {"processor": "another"}, "tokens_per_second": pace}
    found = verdict_of(claim("X", matched_on=matched_on), world("X", COUNTS, **other))
    assert remarks(found, Footnotes()) == told
    assert found.unequal == {}


def test_the_most_unequal_pair_is_named() -> None:
    found = verdict_of(claim("X", matched_on="active_flops"), world("X", COUNTS))
    unequal = {"a to b": 1.1, "a to c": 0.5, "a to d": 1.4}
    shown = Verdict(**{**vars(found), "unequal": unequal})
    assert remarks(shown, Footnotes()) == ["FLOPs ×0.50 (a to c) and 2 more pairs"]
