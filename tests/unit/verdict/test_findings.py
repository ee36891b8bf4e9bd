"""Open choices are named and corrected for, and the p shown is that of the condition shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import pytest

from moebench.papers.claim import ClaimTest, VerdictLabel
from moebench.testing.verdicts import claim_of, run, verdict_of
from moebench.verdict import Verdict
from moebench.verdict.claimed import below
from moebench.verdict.conditions import State, all_of, any_of, mean_is
from moebench.verdict.findings import Findings, under_choices
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.remarks import Footnotes, remarks

from .fakes import MARGIN, two_sided

COUNTS, NOTHING, UNCLEAR = [-1.0, -1.1, -0.9], [0.01, -0.01, 0.0], [0.5, -0.5, 0.0]


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
    return verdict_of(claim_of(test, matched_on=None, **changes), records)


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
