"""The paper's arithmetic, against values worked out by hand."""

import pytest

from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.deepseekmoe_2024.arithmetic import balance, combinations, compute, size
from reproductions.deepseekmoe_2024.paper import ARITHMETIC


def test_sets_by_hand() -> None:
    assert combinations()["C(16, 2)"] == 16 * 15 / 2
    product = 64 * 63 * 62 * 61 * 60 * 59 * 58 * 57
    assert combinations()["C(64, 8)"] == product / (8 * 7 * 6 * 5 * 4 * 3 * 2)


def test_balance_by_hand() -> None:
    found = balance()
    # Half of the experts share all tokens: f = 2, P = 1/4 each, 4 * 2 * 1/4. One device has all
    # tokens: f = 4 for two experts, P = 1/2 each; its f' is 4 and its P' is 1.
    assert found["expert/inside"] == pytest.approx(4 * 2 * 0.25)
    assert found["device/inside"] == pytest.approx(1.0)
    assert found["device/across"] == found["expert/across"] == pytest.approx(4.0)


def test_the_sixteen_billion_are_every_matrix_and_norm_added_up_by_hand() -> None:
    width, vocabulary, expert = 2048, 102400, 3 * 2048 * 1408
    attention_and_norms = 4 * width * width + 2 * width
    dense, shared, router = 3 * width * 10944, 2 * expert, 64 * width
    outside = 2 * vocabulary * width + width + 28 * attention_and_norms + dense
    found = size()
    assert found["parameters"] == outside + 27 * (shared + router + 64 * expert)
    assert found["active parameters"] == outside + 27 * (shared + router + 6 * expert)
    # Three forward passes over 4096 tokens, each 2 FLOPs for an active weight but the embedding and
    # the norms, and 4 for each of 4096 positions and each feature of a layer.
    weights = found["active parameters"] - vocabulary * width - 57 * width
    per_token = 2 * weights + 28 * 4 * 4096 * width
    assert found["teraflops"] == pytest.approx(3 * 4096 * per_token / 1e12, rel=1e-3)


def test_all_are_decided_but_the_scores() -> None:
    records = [
        run(function.__name__, metrics=function())
        for function in (combinations, balance, compute, size)
    ]
    words = {one.claim: one.verdict for one in judge(ARITHMETIC, records, "full")}
    assert words.pop("DM24-12c") is VerdictLabel.NOT_TESTABLE
    assert set(words.values()) == {VerdictLabel.REPRODUCED}
    wrong = [run("balance", metrics={**balance(), "device/inside": 2.0})]
    [claim] = [claim for claim in ARITHMETIC if claim.key == "DM24-11"]
    assert judge([claim], wrong, "full")[0].verdict is VerdictLabel.NOT_REPRODUCED
