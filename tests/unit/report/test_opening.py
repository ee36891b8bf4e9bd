"""The first words of the page of a paper, from verdicts and records written by hand."""

from typing import Any

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.report.paper.opening import beside_counts, opening
from moebench.verdict import Verdict

from .fakes import claim, record, verdict

RUNS = [record(arm, seed) for arm in ("dense", "switch") for seed in (0, 1)]


def one(key: str, word: VerdictLabel = VerdictLabel.REPRODUCED, **changes: Any) -> Verdict:
    return verdict(claim(key), word, **changes)


def words(*verdicts: Verdict, records: Any = RUNS) -> str:
    return " ".join(opening(verdicts, records))


def test_it_says_what_was_found_how_sure_and_at_what_cost() -> None:
    weaker = one("A", effect=-0.01, low=-0.05, high=0.03)
    against = one("C", VerdictLabel.NOT_REPRODUCED, effect=0.3, low=0.2, high=0.4)
    assert opening([weaker, one("B"), against], RUNS) == [
        "3 statements of the paper judged: 2 reproduced and 1 not reproduced.",
        "Clearest support: Statement B & more (B: −0.123 [−0.150, −0.097] nats at equal active "
        "FLOPs a token, 3 seeds, adjusted p = 0.012).",
        "Clearest contradiction: Statement C & more (C: +0.30 [+0.20, +0.40] nats at equal active "
        "FLOPs a token, 3 seeds, adjusted p = 0.012).",
        "This took 4 runs of 2 arms and 32 s of training on Chip <1>; the findings apply at this "
        "scale.",
    ]


def test_a_contradiction_says_how_to_read_its_effect() -> None:
    lead = {"effect": 0.3, "remark": "present, but too small to count"}
    found = {"effect": 0.3, "low": 0.2, "high": 0.4, "conditions": [lead]}
    small = one("C", VerdictLabel.NOT_REPRODUCED, **found)
    assert "adjusted p = 0.012; present, but too small to count)." in words(small)
    assert "too small" not in words(one("A", **found))


def test_where_all_is_open_that_comes_before_the_cost() -> None:
    told = beside_counts([one("A", VerdictLabel.INCONCLUSIVE)], RUNS)
    assert [sentence.partition(" ")[0] for sentence in told] == ["Not", "This"]


def test_arms_of_equal_cost_come_before_a_clearer_effect() -> None:
    clearer = one("A", matched_on=None, effect=9.0, low=8.9, high=9.1)
    assert "Statement B" in words(clearer, one("B"))
    assert "Statement A" in words(clearer)


def test_a_ratio_is_measured_from_one() -> None:
    near = one("A", unit="ratio", effect=1.01, low=0.99, high=1.03)
    assert "Statement B" in words(near, one("B"))


def test_what_holds_in_part_is_said_where_nothing_holds() -> None:
    part = one("A", VerdictLabel.PARTIAL)
    assert "Clearest partial support: Statement A" in words(part)
    assert "partial support" not in words(part, one("B"))


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ([one("A", VerdictLabel.INCONCLUSIVE)], "Not known: whether A holds (Statement A & more)."),
        (
            [one(key, VerdictLabel.INCONCLUSIVE) for key in "ABCDEF"],
            "whether A, B, C, D and 2 more hold.",
        ),
        (
            [
                one("A", VerdictLabel.INCONCLUSIVE, controls={"An": "null control failed"}),
                verdict(claim("An", control_of="A", expects="no effect"), VerdictLabel.FAILED),
            ],
            "Not known: A, because control An failed.",
        ),
        (
            [one("A", preliminary=True, n=1, low=None, high=None)],
            "how 1 preliminary verdict would change with more than 1 seed.",
        ),
        (
            [one("A"), one("B", VerdictLabel.NEEDS_GPU)],
            "apply at this scale. 1 more claim needs the profile gpu.",
        ),
        (
            [one("A", VerdictLabel.NOT_TESTABLE)],
            "No statement of the paper was judged by these runs. This took 4 runs",
        ),
    ],
)
def test_what_is_not_known_is_said(verdicts: list[Verdict], said: str) -> None:
    assert said in words(*verdicts)


def test_runs_that_did_not_end_well_are_counted() -> None:
    records = [*RUNS, record("switch", 2, status="out_of_memory")]
    assert "Not known: 1 of 5 runs: out of memory." in words(one("A"), records=records)


def test_computed_results_cost_no_training() -> None:
    told = words(one("A"), records=[record("sums", steps=0)])
    assert "Every result comes from a computation; together they took 8 s." in told
    assert "training" not in told


def test_a_page_that_shows_the_counts_does_not_say_them_again() -> None:
    told = opening([one("A")], RUNS)
    assert beside_counts([one("A")], RUNS) == told[1:]


def test_a_ratio_is_named_before_its_number() -> None:
    ratio = one("A", unit="ratio of errors", effect=17.0, low=13.9, high=20.8)
    assert "(A: ratio of errors 17.0 [13.9, 20.8] at equal" in words(ratio)


def test_smoke_says_that_everything_works_and_judges_nothing() -> None:
    runs = [record("dense", profile="smoke")]
    judged = [one("A", VerdictLabel.NEEDS_FULL)]
    assert opening(judged, runs) == [
        "Everything works: 1 run of 1 arm and 8 s of training on Chip <1>.",
        "The smoke profile judges nothing; quick and full do.",
    ]
    sums = [record("sums", seed, profile="smoke", steps=0) for seed in (0, 1)]
    told = opening(judged, [*runs, *sums])[0]
    assert told.endswith("on Chip <1>; 1 computed result.")
    assert opening(judged, sums)[0] == "Everything works: 1 computed result."
    lost = record("switch", 3, profile="smoke", status="diverged")
    assert "Not everything works: switch, seed 3: diverged." in words(records=[*runs, lost])


def test_where_no_statement_is_of_a_paper_none_is_missed() -> None:
    assert not words(one("D", of_paper=False)).startswith("No statement")
    assert words(one("D", VerdictLabel.NEEDS_FULL)).startswith("No statement of the paper")
