"""The trend of a gain over the size of models, in worlds made for it."""

from typing import Any

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import NOISE, findings_of, run, states, verdict_of
from reproductions.scale_axis.judging import GainOverSize

SIZES = (10_000, 100_000, 1_000_000)  # so a step from one to the next is a tenfold
SERIES = (("a1", "b1"), ("a2", "b2"), ("a3", "b3"))
TEST: dict[str, Any] = {"series": SERIES, "margin": 0.02, "counted": 0.01}
STEADY = GainOverSize(trend="does not shrink", **TEST)
SHRINKS = GainOverSize(trend="shrinks", **TEST)


def world(*gains: float, scale: float = 0.2) -> list[RunRecord]:
    """Five seeds of three pairs with these gains, whose spread is that of a seed's noise."""
    return [
        run(arm, seed, loss, params_active=size)
        for (first, second), size, gain in zip(SERIES, SIZES, gains, strict=True)
        for seed, noise in enumerate(NOISE)
        for arm, loss in ((first, 3 - gain - scale * noise), (second, 3.0))
    ]


@pytest.mark.parametrize(
    ("gains", "word"),
    [
        ((0.02, 0.04, 0.06), VerdictLabel.REPRODUCED),
        ((0.05, 0.05, 0.05), VerdictLabel.REPRODUCED),
        ((0.06, 0.055, 0.05), VerdictLabel.REPRODUCED),  # falls by less than counts
        ((0.09, 0.06, 0.03), VerdictLabel.NOT_REPRODUCED),
        ((0.00, 0.00, 0.00), VerdictLabel.PARTIAL),  # nothing is there that could shrink
        ((-0.05, -0.02, 0.02), VerdictLabel.REPRODUCED),  # a gain at the end is enough
    ],
)
def test_a_gain_that_does_not_shrink(gains: tuple[float, ...], word: VerdictLabel) -> None:
    assert verdict_of(STEADY, world(*gains)).verdict is word


@pytest.mark.parametrize(
    ("gains", "word"),
    [
        ((0.09, 0.06, 0.03), VerdictLabel.REPRODUCED),
        ((0.05, 0.02, -0.01), VerdictLabel.REPRODUCED),
        ((0.05, 0.05, 0.05), VerdictLabel.NOT_REPRODUCED),
        ((0.06, 0.055, 0.05), VerdictLabel.NOT_REPRODUCED),  # falls by less than counts
        ((0.03, 0.06, 0.09), VerdictLabel.NOT_REPRODUCED),
        ((0.00, -0.03, -0.06), VerdictLabel.PARTIAL),  # a loss that grows is no gain that shrinks
    ],
)
def test_a_gain_that_shrinks(gains: tuple[float, ...], word: VerdictLabel) -> None:
    assert verdict_of(SHRINKS, world(*gains)).verdict is word


@pytest.mark.parametrize("test", [STEADY, SHRINKS])
def test_a_wide_spread_decides_nothing(test: GainOverSize) -> None:
    records = world(0.05, 0.04, 0.03, scale=20)
    found = verdict_of(test, [replaced(one) for one in records])
    assert found.verdict is VerdictLabel.INCONCLUSIVE
    assert found.power is not None
    assert found.power["seeds_needed"] > 5


def replaced(record: RunRecord) -> RunRecord:
    """The noise of the largest size turned round, so that it is one of the slope."""
    loss = record.metrics["valid/loss"]
    turned = 6 - loss if record.arm == "a3" else loss
    return run(record.arm, record.seed, turned, params_active=record.params_active)


def test_the_effect_is_the_change_of_the_gain_in_a_tenfold() -> None:
    found = verdict_of(STEADY, world(0.02, 0.05, 0.08))
    assert found.effect == pytest.approx(0.03)
    assert found.unit == "nats a tenfold"
    halved = [
        run(one.arm, one.seed, one.metrics["valid/loss"], params_active=size)
        for one, size in zip(
            world(0.02, 0.05, 0.08), np.repeat((10, 1000, 100_000), 10), strict=True
        )
    ]
    assert verdict_of(STEADY, halved).effect == pytest.approx(0.015)


def test_the_gain_at_every_size_is_told() -> None:
    why = verdict_of(STEADY, world(0.02, 0.05, 0.08, scale=0.5)).why
    assert "gains in nats by active parameters: 10,000: 0.02 [" in why
    assert "1,000,000: 0.08 [" in why


def test_a_seed_counts_only_if_it_finished_at_all_sizes() -> None:
    records = [one for one in world(0.05, 0.05, 0.05) if (one.arm, one.seed) != ("b2", 3)]
    found = findings_of(STEADY, records)
    assert found.lead.effect.n == 4
    assert found.sides[0].effect.n == 5


def test_models_of_one_size_have_no_trend() -> None:
    records = [run(one.arm, one.seed, one.metrics["valid/loss"]) for one in world(0.1, 0.2, 0.3)]
    assert states(findings_of(STEADY, records)) == ["open", "holds"]


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"series": SERIES[:1]}, "two sizes"),
        ({"margin": 0.0}, "margin=0.0"),
        ({"counted": 0.0}, "counted=0.0"),
        ({"trend": "grows"}, "trend=grows"),
    ],
)
def test_what_has_no_trend_is_refused(changed: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        GainOverSize(**{"trend": "shrinks", **TEST, **changed})
