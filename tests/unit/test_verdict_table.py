"""The table for the terminal says everything and fits."""

from typing import Any

from moebench.claims import Word
from moebench.verdict import Verdict
from moebench.verdict.table import short, table

COSTS = {
    "runs": 3,
    "params_total": 1234567.0,
    "params_active": 345678.0,
    "flops_per_token": 2.5e6,
    "seconds_per_step": 0.0234,
}


def verdict(**changes: Any) -> Verdict:
    given = {"claim": "SW21-03", "version": 1, "says": "sparse beats dense", "source": ""}
    return Verdict(**{**given, "verdict": Word.REPRODUCED, "why": "", **changes})


JUDGED = verdict(
    effect=-0.0512,
    low=-0.061,
    high=-0.0414,
    n=3,
    p_adjusted=0.00314,
    unit="nats",
    preliminary=True,
    paper_values={"sparse": 1.553, "dense": 1.731},
    measured={"dense": {"n": 3, "failed": {"diverged": 2}}},
    costs={"dense": COSTS},
)


def test_a_row_has_every_figure() -> None:
    text = " ".join(table([JUDGED]).split())
    for part in ("SW21-03", "reproduced*", "-0.0512 [-0.061, -0.0414]", "nats", " 3 ", "0.003"):
        assert part in text
    assert "sparse: 1.553," in text
    assert "* preliminary" in text


def test_costs_are_listed_once_an_arm() -> None:
    text = table([JUDGED, JUDGED])
    (line,) = [line for line in text.splitlines() if line.startswith("dense")]
    assert line.split() == [
        "dense",
        "3",
        "2",
        "diverged",
        *("1.23e+06", "3.46e+05"),
        "2.5e+06",
        "0.0234",
    ]


def test_all_runs_of_an_arm_count_where_the_claim_looks_at_no_metric_of_theirs() -> None:
    measured = {"dense": {"n": 0, "failed": {}}}
    text = table([verdict(measured=measured, costs={"dense": COSTS}), JUDGED])
    assert "\ndense  3 " in text


def test_what_was_not_judged_has_no_numbers() -> None:
    text = table([verdict(verdict=Word.NOT_TESTABLE)])
    assert "None" not in text
    assert "preliminary" not in text


def test_no_line_is_longer_than_120() -> None:
    long = verdict(says="many words " * 40, paper_values={f"value_{i}": 1.5 for i in range(30)})
    assert max(map(len, table([long, JUDGED]).splitlines())) <= 120


def test_figures_of_a_paper_in_short() -> None:
    values = {"a": {"1.0": 1.5, "2.0": 2}, "b": (79.5, 75.1), "c": "<1%"}
    assert short(values) == "a: (1.0: 1.5, 2.0: 2), b: 79.5/75.1, c: <1%"


def test_the_name_of_an_arm_stays_in_one_piece() -> None:
    arm = "four_experts.aligned.0.5.order_10"
    judged = verdict(effect=1.0, n=1, measured={arm: {"n": 1, "failed": {}}}, costs={arm: COSTS})
    assert f"\n{arm}  3 " in table([judged])
