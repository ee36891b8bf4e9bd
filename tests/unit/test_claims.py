"""A claim is complete or refused."""

from typing import Any

import pytest

from moebench.claims import Claim, Word


def claim(**changes: Any) -> Claim:
    given = {"key": "X-01", "says": "a beats b", "source": "Table 1", "paper_values": {}}
    return Claim(**{**given, "matched_on": "steps", "test": "difference", **changes})


def test_the_five_words() -> None:
    assert [str(word) for word in Word] == [
        "reproduced",
        "partial",
        "not reproduced",
        "inconclusive",
        "not testable here",
    ]


def test_a_claim_is_frozen() -> None:
    with pytest.raises(AttributeError):
        claim().margin = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test": ""}, "claim X-01: needs either a test or a reason"),
        ({"because": "no data"}, "claim X-01: needs either a test or a reason"),
        ({"margin": -0.1}, "claim X-01: margin=-0.1: must be at least 0"),
        ({"seeds": 0}, "claim X-01: seeds=0: must be at least 1"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        claim(**changes)
