"""What a name may have been meant to be."""

import pytest

from moebench.papers.nearest import all_known, nearest


def test_what_is_nearest() -> None:
    known = ["AB21-03", "AB21-03n", "XY24-01"]
    assert nearest("AB21-3", known) == "the nearest: AB21-03, AB21-03n"
    assert nearest("ab21-03", known) == "the nearest: AB21-03, AB21-03n"
    assert nearest("quite another", known) == "one of AB21-03, AB21-03n, XY24-01"
    assert nearest("x", []) == "there are none"
    assert nearest("XY24-1", ["AB24-01", "XY24-01"]) == "the nearest: XY24-01, AB24-01"
    many = [f"AB21-{number:02}" for number in range(40)]
    assert nearest("quite another", many).startswith(
        "none is near it; there are 40, such as AB21-00"
    )
    assert "AB21-20" not in nearest("quite another", many)


def test_the_first_unknown_name_is_refused() -> None:
    all_known(["low"], ("low", "high"), "space.")
    for given in (["hihg"], ["low", "hihg", "lwo"]):
        with pytest.raises(ValueError, match=r"^space\.hihg: unknown; the nearest: high"):
            all_known(given, ("low", "high"), "space.")
    with pytest.raises(ValueError, match=r"^baselines=\[1\]: unknown; one of a, b$"):
        all_known([[1]], iter("ab"), "baselines=")
