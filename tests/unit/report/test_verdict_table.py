"""The table for the terminal says everything and fits."""

from typing import Any

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.report.paper.verdict_table import short, table
from moebench.verdict import Verdict

COSTS = {
    "runs": 3,
    "params_total": 1234567.0,
    "params_active": 345678.0,
    "flops_per_token": 2.5e6,
    "seconds_per_step": 0.0234,
}


def verdict(**changes: Any) -> Verdict:
    given = {"claim": "X-03", "version": 1, "says": "sparse beats dense", "source": ""}
    return Verdict(**{**given, "verdict": VerdictLabel.REPRODUCED, "why": "", **changes})


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


def row(text: str, name: str) -> list[str]:
    """The words of the one line that begins with a name."""
    [words] = [line.split() for line in text.splitlines() if line.split()[:1] == [name]]
    return words


def test_a_row_has_every_figure() -> None:
    text = " ".join(table([JUDGED]).split())
    for part in ("X-03", "reproduced*", "-0.0512 [-0.061, -0.0414]", "nats", " 3 ", "0.003"):
        assert part in text
    assert "sparse: 1.553," in text
    assert "* preliminary" in text


def test_costs_are_listed_once_an_arm() -> None:
    assert row(table([JUDGED, JUDGED]), "dense") == [
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
    assert row(text, "dense")[:2] == ["dense", "3"]


def unjudged(*words: VerdictLabel) -> list[Verdict]:
    return [verdict(claim=f"N-{i}", verdict=word) for i, word in enumerate(words)]


def test_what_was_not_judged_is_a_line() -> None:
    several = [
        *[VerdictLabel.NEEDS_FULL] * 12,
        VerdictLabel.NEEDS_GPU,
        *[VerdictLabel.NOT_IMPLEMENTED] * 2,
        VerdictLabel.NOT_TESTABLE,
    ]
    text = table([JUDGED, *unjudged(*several)])
    assert "N-0" not in text
    assert "None" not in text
    assert (
        "12 more claims need the profile full; 1 more claim needs the profile gpu; 2 more claims"
        " are not implemented; 1 more claim is not testable here."
    ) in " ".join(text.split())
    alone = table(unjudged(*[VerdictLabel.NEEDS_FULL] * 2))
    assert alone == "2 claims need the profile full."
    assert "more" not in table([JUDGED])


def test_controls_and_additions_stand_apart_with_their_own_p() -> None:
    control = verdict(
        claim="X-03n",
        verdict=VerdictLabel.PASSED,
        of_paper=False,
        control_of="X-03",
        expects="no effect",
        effect=0.0,
        low=-0.01,
        high=0.01,
        p=0.0456,
        n=3,
    )
    ours = verdict(claim="X-99", of_paper=False, effect=1.0, n=2, p=0.5)
    text = table([control, ours, JUDGED])
    statements, _, besides = text.partition("Controls and claims of our own")
    assert "X-03 " in statements
    assert not {"X-03n", "X-99"} & set(statements.split())
    assert {"X-03n", "X-99"} <= set(besides.split())
    for part in ("control passed", "null control of X-03", "0.046", "0.500"):
        assert part in besides


def test_what_stands_beside_a_row_is_below_it() -> None:
    beside = {
        "controls": {"X-03n": "null control failed", "X-03p": "positive control passed"},
        "matched_on": "active_flops",
        "unequal": {"sparse to dense": 1.4},
        "replicate": "speaker order",
        "runs_of": "other",
    }
    without = {"uncontrolled": "No such world can be made.", "preliminary": False}
    lines = table([JUDGED, verdict(**{**vars(JUDGED), **without})]).splitlines()
    assert "[1] No such world can be made." in lines
    assert "no control [1]" in [line.strip() for line in lines]
    lines = table([verdict(**{**vars(JUDGED), **beside})]).splitlines()
    told = (
        "null control failed (X-03n); positive control passed (X-03p);"
        " FLOPs ×1.40 (sparse to dense); n: speaker orders; runs of other"
    )
    assert told in " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= 120


def test_an_interval_may_be_open_to_one_side() -> None:
    assert "2 [1.5, inf] ratio" in table([verdict(effect=2.0, low=1.5, n=3, unit="ratio")])
    assert "2 ratio" in table([verdict(effect=2.0, n=1, unit="ratio")])


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_line_fits_the_window(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = verdict(says="many words " * 40, paper_values={f"value_{i}": 1.5 for i in range(30)})
    text = table([long, JUDGED])
    assert max(map(len, text.splitlines())) <= columns
    assert text.split().count("many") == 40
    assert "-0.0512 [-0.061, -0.0414] nats" in text


def test_figures_of_a_paper_in_short() -> None:
    values = {"a": {"1.0": 1.5, "2.0": 2}, "b": (79.5, 75.1), "c": "<1%"}
    assert short(values) == "a: (1.0: 1.5, 2.0: 2), b: 79.5/75.1, c: <1%"


def test_the_name_of_an_arm_stays_in_one_piece() -> None:
    arm = "four_experts.aligned.0.5.order_10"
    judged = verdict(effect=1.0, n=1, measured={arm: {"n": 1, "failed": {}}}, costs={arm: COSTS})
    assert row(table([judged]), arm)[1] == "3"
