"""Claims and tests are complete or refused, before anything is trained."""

from typing import Any

import pytest

from moebench.papers.claim import JUDGED, NOT_JUDGED, OF_CONTROLS, Claim, VerdictLabel
from moebench.report.formatting import SHAPES
from moebench.verdict.comparisons import Difference, Order
from moebench.verdict.exact import Exact

TEST = Difference(first="a", second="b", margin=0.1)


def claim(**changes: Any) -> Claim:
    given = {"key": "X-01", "says": "a beats b", "source": "Table 1", "paper_values": {}}
    return Claim(**{**given, "matched_on": "steps", "test": TEST, **changes})


def test_every_label_has_one_kind_and_one_symbol() -> None:
    assert [*JUDGED, *OF_CONTROLS, *NOT_JUDGED] == list(VerdictLabel)
    assert list(SHAPES) == list(VerdictLabel)
    judged = [SHAPES[word] for word in (*JUDGED, *OF_CONTROLS)]
    assert len(set(judged)) == len(judged)
    assert not set(judged) & {SHAPES[word] for word in NOT_JUDGED}


def test_a_claim_has_the_arms_of_its_test() -> None:
    assert claim().arms == ("a", "b")
    assert claim(test=None, because="No data.").arms == ()
    assert claim(test=Order(ordered=("a", "b", "a"))).arms == ("a", "b")


def test_pairs_join_the_first_arm_with_the_others() -> None:
    assert TEST.pairs == [("a", "b")]
    assert Order(ordered=("a", "b", "c")).pairs == [("a", "b"), ("b", "c")], "neighbours"
    assert Exact(arm="sums", equals={"x": 1.0}).pairs == []


@pytest.mark.parametrize(
    ("changes", "of_paper", "trained"),
    [
        ({}, True, True),
        ({"level": "arithmetic"}, True, False),
        ({"level": "mechanism-cpu"}, True, False),
        ({"test": None, "because": "No data."}, True, False),
        ({"ours": True}, False, True),
        ({"control_of": "X-02", "expects": "effect"}, False, True),
    ],
)
def test_which_claims_count_for_the_paper_and_which_need_controls(
    changes: dict[str, Any], of_paper: bool, trained: bool
) -> None:
    assert (claim(**changes).of_paper, claim(**changes).trained) == (of_paper, trained)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test": None}, "claim X-01: needs either `test` or `because`"),
        ({"because": "no data"}, "claim X-01: needs either `test` or `because`"),
        ({"seeds": 0}, "claim X-01: seeds=0: must be at least 1"),
        ({"control_of": "X-02"}, "claim X-01: needs both or neither of control_of and expects"),
        ({"expects": "effect"}, "claim X-01: needs both or neither of control_of and expects"),
        ({"same_data": (("a",),)}, "claim X-01: same_data: must list every arm once"),
    ],
)
def test_invalid_claims_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        claim(**changes)


def test_invalid_tests_are_refused() -> None:
    with pytest.raises(ValueError, match=r"margin=-0.1: must be at least 0"):
        Difference(first="a", second="b", margin=-0.1)
    with pytest.raises(ValueError, match="not neighbours in a, b, c"):
        Order(ordered=("a", "b", "c"), lead=("a", "c"))
    with pytest.raises(ValueError, match="arm=sums: nothing is stated about it"):
        Exact(arm="sums")
