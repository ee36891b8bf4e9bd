"""A dispute has two sides, a hinge with several values, and claims that exist."""

from typing import Any

import pytest

from moebench.papers.claim import Claim
from moebench.papers.dispute import Dispute, Side, check_cells, check_sides
from moebench.verdict.comparisons import Difference

FIRST = Side(says="a is better", source="A 2020", claims=("A-1",))
SECOND = Side(says="b is as good", source="B 2021")
CELLS = {"at 1": "D-1", "at 2": "D-2"}


def dispute(**changes: Any) -> Dispute:
    given: dict[str, Any] = {"question": "a or b?", "hinge": "size", "cells": CELLS}
    return Dispute(**{**given, "sides": (FIRST, SECOND), **changes})


def claim(key: str, **changes: Any) -> Claim:
    given = {"says": "", "source": "", "paper_values": {}, "matched_on": None, "ours": True}
    test = Difference(first="a", second="b", margin=0.1)
    return Claim(**{**given, "key": key, "test": test, **changes})


OURS = [claim("D-1"), claim("D-2")]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sides": (FIRST,)}, "sides=1: must be two"),
        ({"sides": (FIRST, SECOND, SECOND)}, "sides=3: must be two"),
        ({"sides": (FIRST, FIRST)}, "must be two, which differ"),
        ({"cells": {"at 1": "D-1"}}, "cells=1: must be two values or more"),
        ({"cells": {"at 1": "D-1", "at 2": "D-1"}}, "a claim is that of several values"),
    ],
)
def test_what_is_no_dispute_is_refused_in_one_line(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        dispute(**changes)
    assert "a or b?" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        (OURS[:1], r"cells\['at 2'\]=D-2: no claim of this folder; .*D-1"),
        ([OURS[0], claim("D-2", ours=False)], "must be a claim of ours"),
        ([OURS[0], claim("D-2", control_of="D-1", expects="effect")], "and no control"),
    ],
)
def test_a_cell_is_judged_by_a_claim_of_ours(claims: list[Claim], why: str) -> None:
    check_cells([dispute()], OURS)
    with pytest.raises(ValueError, match=why):
        check_cells([dispute()], claims)


def test_a_side_names_claims_that_some_paper_has() -> None:
    check_sides([dispute()], ["A-1", "D-1"])
    with pytest.raises(ValueError, match=r"claim=A-1: unknown in all papers; .*A-2"):
        check_sides([dispute()], ["A-2"])
