"""Tests of claims about passes through the training set, on made-up runs."""

from typing import Any

import numpy as np
import pytest

from moebench.claims import Claim, Word
from moebench.records import RunRecord
from moebench.verdict import TESTS, Verdict, judge
from moebench.verdict.passes import order_and_closest, sooner_and_as_good
from reproductions.jacobs_1991.hierarchical_claims import CLAIMS_1994

BY_KEY = {claim.key: claim for claim in CLAIMS_1994}
NOISE = np.linspace(-0.05, 0.05, 10)  # of the logarithms
AS_CLAIMED = {
    "backprop_batch": (5500, 0.09),
    "hme_em": (35, 0.10),
    "hme_least_squares": (39, 0.12),
    "linear": (1, 0.31),
    "hme_online": (2, 0.12),
    "backprop_online": (63, 0.08),
    "hme_gradient": (104, 0.15),
    "backprop_adam": (20, 0.05),
}


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for test in (sooner_and_as_good, order_and_closest):
        monkeypatch.setitem(TESTS, test.__name__, test)


def run(arm: str, seed: int, **metrics: float) -> RunRecord:
    return RunRecord(
        **{"target": "x", "profile": "full", "arm": arm, "seed": seed, "status": "finished"},
        **{"config_hash": "", "commit": "", "metrics": metrics},
    )


def world(seeds: int = 10, failed: int = 0, **changes: tuple[float, float]) -> list[RunRecord]:
    """Runs of all arms; the first so many of each network failed, and say nonsense."""
    records = []
    for arm, (epochs, error) in {**AS_CLAIMED, **changes}.items():
        for seed in range(seeds):
            wrong = arm.startswith("backprop_batch") and seed < failed
            factor = 100.0 if wrong else np.exp(NOISE[(3 * seed + len(arm)) % 10])
            values = {"epochs": epochs * factor, "relative_error": error * factor}
            records.append(run(arm, seed, **values, failed=float(wrong), seconds=2.0))
    return records


def judged(key: str, records: list[RunRecord], **settings: Any) -> Verdict:
    claim = BY_KEY[key]
    changed = Claim(**{**vars(claim), "settings": {**claim.settings, **settings}})
    (verdict,) = judge([changed], records, "full")
    return verdict


def states(verdict: Verdict) -> list[str]:
    return [condition["state"] for condition in verdict.conditions]


def test_the_paper_s_own_figures_bear_both_claims_out() -> None:
    assert judged("H94-01", world()).verdict is Word.REPRODUCED
    assert judged("H94-02", world()).verdict is Word.REPRODUCED


def test_a_ratio_by_hand() -> None:
    # Logarithms: means log 8 and log 2 with two values each, +-0.1 around them: the difference is
    # log 4, its standard error 0.1 * sqrt(2), and t of 0.975 with 2 degrees is 4.302653.
    records = [
        run(arm, seed, epochs=mean * np.exp(sign / 10), relative_error=1.0 + sign / 10, failed=0.0)
        for arm, mean in (("backprop_batch", 8.0), ("hme_em", 2.0))
        for seed, sign in enumerate((-1, 1))
    ]
    claim = Claim(
        **{**vars(BY_KEY["H94-01"]), "arms": ("backprop_batch", "hme_em")}
        | {"settings": {**BY_KEY["H94-01"].settings, "shown": 0, "at_least": 2.0}}
    )
    (found,) = judge([claim], records, "full")
    half = 4.302653 * 0.1 * 2**0.5
    assert found.effect == pytest.approx(4.0)
    assert found.low == pytest.approx(4.0 * np.exp(-half), rel=1e-5)
    assert found.high == pytest.approx(4.0 * np.exp(half), rel=1e-5)
    assert found.n == 2
    t = np.log(2) / (0.1 * 2**0.5)
    assert found.conditions[0]["p"] == pytest.approx(1 - t / (2 + t * t) ** 0.5, rel=1e-5)


@pytest.mark.parametrize(
    ("epochs", "state", "word"),
    [
        (30.0, "holds", Word.REPRODUCED),
        (20.0, "open", Word.PARTIAL),
        (10.0, "open", Word.PARTIAL),
        (5.5, "open", Word.PARTIAL),
        (4.0, "refuted", Word.NOT_REPRODUCED),
        (0.5, "refuted", Word.NOT_REPRODUCED),
    ],
)
def test_how_many_times_fewer_epochs(epochs: float, state: str, word: Word) -> None:
    found = judged("H94-01", world(backprop_batch=(35 * epochs, 0.09), hme_least_squares=(1, 0.1)))
    assert found.effect == pytest.approx(epochs, rel=0.05)
    assert states(found)[0] == state
    assert found.verdict is word


@pytest.mark.parametrize(
    ("error", "state"), [(0.09, "holds"), (0.117, "open"), (0.13, "refuted"), (0.01, "holds")]
)
def test_how_much_worse(error: float, state: str) -> None:
    found = judged("H94-01", world(hme_em=(35, error)))
    assert states(found) == ["holds", "holds", state]
    assert found.conditions[2]["effect"] == pytest.approx(error / 0.09, rel=0.05)
    assert found.verdict is (Word.REPRODUCED if state == "holds" else Word.PARTIAL)


def test_the_other_way_round_is_not_reproduced() -> None:
    turned = world(backprop_batch=(35, 0.1), hme_em=(5500, 0.3), hme_least_squares=(5500, 0.3))
    found = judged("H94-01", turned)
    assert found.verdict is Word.NOT_REPRODUCED
    assert {condition["p"] for condition in found.conditions} == {1.0}
    turned = world(hme_online=(104, 0.05), backprop_online=(63, 0.3), hme_gradient=(2, 0.05))
    assert judged("H94-02", turned).verdict is Word.NOT_REPRODUCED


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"hme_online": (70, 0.12)}, ["refuted", "holds", "holds", "holds"]),
        ({"hme_gradient": (50, 0.15)}, ["holds", "refuted", "holds", "holds"]),
        ({"hme_online": (2, 0.05)}, ["holds", "holds", "refuted", "holds"]),
        ({"hme_gradient": (104, 0.05)}, ["holds", "holds", "holds", "refuted"]),
        ({"hme_gradient": (63, 0.15)}, ["holds", "open", "holds", "holds"]),
        ({"backprop_adam": (1, 0.01)}, ["holds"] * 4),
    ],
)
def test_order_of_epochs_and_smallest_error(
    changes: dict[str, tuple[float, float]], found: list[str]
) -> None:
    verdict = judged("H94-02", world(**changes))
    assert states(verdict) == found
    lead_refuted = found[0] == "refuted"
    word = Word.NOT_REPRODUCED if lead_refuted else Word.PARTIAL
    assert verdict.verdict is (Word.REPRODUCED if set(found) == {"holds"} else word)


def test_failed_runs_are_left_out_counted_and_shown() -> None:
    found = judged("H94-01", world(failed=5))
    assert found.verdict is Word.REPRODUCED
    assert found.n == 5
    assert found.preliminary
    assert "5 of 10 runs of backprop_batch" in found.why
    assert "0 of 10 runs of hme_em" in found.why
    assert found.measured["backprop_batch"]["failed_runs"] == 5
    assert found.measured["backprop_batch"]["relative_error"] == pytest.approx(0.09, rel=0.1)
    assert found.measured["hme_em"]["seconds"] == 2.0


def test_a_run_that_broke_off_counts_as_failed() -> None:
    records = world(seeds=9)
    broken = {"target": "x", "profile": "full", "config_hash": "", "commit": ""}
    records.append(RunRecord(**broken, arm="hme_em", seed=9, status="diverged"))
    found = judged("H94-01", records)
    assert found.measured["hme_em"]["failed_runs"] == 1
    assert found.n == 9


@pytest.mark.parametrize("key", BY_KEY)
@pytest.mark.parametrize(("seeds", "failed"), [(1, 0), (5, 4)])
def test_too_few_runs_are_inconclusive(key: str, seeds: int, failed: int) -> None:
    records = world(seeds, failed)
    if failed:
        records = [
            run(r.arm, r.seed, **{**r.metrics, "failed": float(r.seed < failed)}) for r in records
        ]
    found = judged(key, records)
    assert found.verdict is Word.INCONCLUSIVE
    assert found.n == 1


def test_runs_that_do_not_vary_are_exact() -> None:
    records = [run(r.arm, r.seed, **{**r.metrics, "epochs": 7.0}) for r in world()]
    assert states(judged("H94-02", records))[:2] == ["refuted", "refuted"]
