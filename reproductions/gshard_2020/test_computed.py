"""The computed claims: by hand where a pencil is enough, and judged."""

import pytest

from moebench.papers import target
from moebench.papers.claim import VerdictLabel
from moebench.papers.computed import import_function
from moebench.testing.verdicts import run
from moebench.training.cost import parameters
from moebench.verdict import judge
from reproductions.gshard_2020 import arithmetic, mechanisms
from reproductions.gshard_2020.claims_computed import OF_FUNCTIONS
from reproductions.gshard_2020.published import TOKENS


@pytest.fixture(scope="module")
def computed() -> dict[str, dict[str, float]]:
    plan = target("gshard").plan
    return {arm: import_function(function)() for arm, function in plan.computed.items()}


def test_weights_by_hand() -> None:
    # One layer of the encoder; one of the decoder, with both attentions and three experts: that is
    # embeddings, three attentions of four matrices, four blocks of two matrices, and a gate.
    by_hand = 96_000 * 1024 + 3 * 4 * 1024 * 2048 + (1 + 3) * 2 * 1024 * 8192 + 3 * 1024
    assert parameters(arithmetic.transformer(experts=3, layers=2)) == by_hand


def test_the_least_and_the_most_that_depth_saves() -> None:
    found = arithmetic.depth()
    assert found["least"] == pytest.approx(141 / 66)
    assert found["most"] == pytest.approx(1780 / 542)
    assert len(found) == 2 + len(TOKENS)


def test_the_gate_overflows_where_it_is_counted(computed: dict[str, dict[str, float]]) -> None:
    found = computed["groups"]
    assert found["fullest"] == mechanisms.CAPACITY == 2 * 4096 / (4 * 8)
    assert found["overflowed tokens"] > 100


def test_the_loss_by_hand(computed: dict[str, dict[str, float]]) -> None:
    found = computed["auxiliary_loss"]
    assert (found["uniform@8"], found["collapsed@8"]) == pytest.approx((1 / 64, 1 / 8))


def test_what_computation_decides(computed: dict[str, dict[str, float]]) -> None:
    records = [run(arm, metrics=metrics) for arm, metrics in computed.items()]
    verdicts = {one.claim: one for one in judge(OF_FUNCTIONS, records, "full")}
    words = {key: one.verdict for key, one in verdicts.items()}
    assert words.pop("G20-01n") is VerdictLabel.PASSED
    assert words.pop("G20-07") is VerdictLabel.NOT_TESTABLE
    # Printed numbers that do not add up: two totals of experts, three numbers of weights.
    assert words.pop("G20-04t") is words.pop("G20-04w") is VerdictLabel.NOT_REPRODUCED
    assert set(words.values()) == {VerdictLabel.REPRODUCED}
    assert "2 of 7 values" in verdicts["G20-04t"].why
    assert "2048E-36L, experts is 36864, stated 36684" in verdicts["G20-04t"].why
    assert "3 of 7 values" in verdicts["G20-04w"].why
    assert "128E-36L, weights off is 2.51" in verdicts["G20-04w"].why
