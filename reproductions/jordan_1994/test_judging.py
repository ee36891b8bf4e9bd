"""Claims about passes through the training set, on constructed runs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from moebench.evidence.record import RunRecord
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import findings_of, run, states, verdict_of
from moebench.verdict import Verdict
from reproductions.jordan_1994.judging import OrderAndClosest, SoonerAndAsGood
from reproductions.jordan_1994.paper import CLAIMS

BY_KEY = {claim.key: claim for claim in CLAIMS}
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


def world(seeds: int = 10, failed: int = 0, **changes: tuple[float, float]) -> list[RunRecord]:
    """Runs of all arms; the first `failed` runs of batch back-propagation failed."""
    records = []
    for arm, (epochs, error) in {**AS_CLAIMED, **changes}.items():
        for seed in range(seeds):
            wrong = arm == "backprop_batch" and seed < failed
            factor = 100.0 if wrong else np.exp(NOISE[(3 * seed + len(arm)) % 10])
            values = {"epochs": epochs * factor, "relative_error": error * factor}
            ended = {"failed": float(wrong), "still_falling": 0.0, "seconds": 2.0}
            records.append(run(arm, seed, metrics={**values, **ended}))
    return records


def judged(key: str, records: list[RunRecord]) -> Verdict:
    return verdict_of(BY_KEY[key], records)


def changed(records: list[RunRecord], **metrics: Callable[[RunRecord], float]) -> list[RunRecord]:
    """Change the metrics of runs."""
    return [
        replace(one, metrics={**one.metrics, **{name: of(one) for name, of in metrics.items()}})
        for one in records
    ]


def falling(records: list[RunRecord], arm: str) -> list[RunRecord]:
    """Mark the first two runs of an arm as still improving at the end."""
    return changed(records, still_falling=lambda one: float(one.arm == arm and one.seed < 2))


def test_the_papers_own_figures_support_both_claims() -> None:
    assert judged("H94-01", world()).verdict is VerdictLabel.REPRODUCED
    assert judged("H94-02", world()).verdict is VerdictLabel.REPRODUCED


def test_a_ratio_by_hand() -> None:
    # Logarithms: means log 8 and log 2 with two values each, +-0.1 around them: the difference is
    # log 4, its standard error 0.1 * sqrt(2), and t of 0.975 with 2 degrees is 4.302653.
    fixed = {"relative_error": 1.0, "failed": 0.0, "still_falling": 0.0}
    records = [
        run(arm, seed, metrics={"epochs": mean * np.exp(sign / 10), **fixed})
        for arm, mean in (("base", 8.0), ("arm", 2.0))
        for seed, sign in enumerate((-1, 1))
    ]
    test = SoonerAndAsGood(base="base", arm="arm", at_least=2, refuted_below=1, worse_by=1.3)
    [sooner] = findings_of(test, records).sides
    half = 4.302653 * 0.1 * 2**0.5
    assert sooner.effect.estimate == pytest.approx(4.0)
    assert sooner.effect.low == pytest.approx(4.0 * np.exp(-half), rel=1e-5)
    assert sooner.effect.high == pytest.approx(4.0 * np.exp(half), rel=1e-5)
    assert sooner.effect.n == 2
    t = np.log(2) / (0.1 * 2**0.5)
    assert sooner.p == pytest.approx(1 - t / (2 + t * t) ** 0.5, rel=1e-5)


@pytest.mark.parametrize(
    ("epochs", "state", "word"),
    [
        (30.0, "holds", VerdictLabel.REPRODUCED),
        (20.0, "open", VerdictLabel.INCONCLUSIVE),
        (10.0, "open", VerdictLabel.INCONCLUSIVE),
        (5.5, "open", VerdictLabel.INCONCLUSIVE),
        (4.0, "refuted", VerdictLabel.NOT_REPRODUCED),
        (0.5, "refuted", VerdictLabel.NOT_REPRODUCED),
    ],
)
def test_how_many_times_fewer_epochs(epochs: float, state: str, word: VerdictLabel) -> None:
    changes = {"backprop_batch": (35 * epochs, 0.09), "hme_least_squares": (0.2, 0.1)}
    found = judged("H94-01", world(**changes))
    assert found.conditions[1]["effect"] == pytest.approx(epochs, rel=0.05)
    assert states(found) == [state, state, "holds"]
    assert found.verdict is word


@pytest.mark.parametrize(
    ("error", "state"), [(0.09, "holds"), (0.117, "open"), (0.13, "refuted"), (0.01, "holds")]
)
def test_epochs_to_a_larger_error_say_nothing(error: float, state: str) -> None:
    found = judged("H94-01", world(hme_em=(35, error)))
    assert states(found) == [state, "holds", "holds"]
    words = {
        "holds": VerdictLabel.REPRODUCED,
        "open": VerdictLabel.INCONCLUSIVE,
        "refuted": VerdictLabel.NOT_REPRODUCED,
    }
    assert found.verdict is words[state]


def test_algorithm_2_is_a_side_condition() -> None:
    found = judged("H94-01", world(hme_least_squares=(5000, 0.12)))
    assert (states(found), found.verdict) == (["holds", "holds", "refuted"], VerdictLabel.PARTIAL)


def test_the_opposite_is_not_reproduced() -> None:
    turned = world(backprop_batch=(35, 0.1), hme_em=(5500, 0.3), hme_least_squares=(5500, 0.3))
    assert judged("H94-01", turned).verdict is VerdictLabel.NOT_REPRODUCED
    turned = world(hme_online=(104, 0.05), backprop_online=(63, 0.3), hme_gradient=(2, 0.05))
    assert judged("H94-02", turned).verdict is VerdictLabel.NOT_REPRODUCED


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"hme_online": (70, 0.12)}, ["refuted", "holds", "holds"]),
        ({"hme_gradient": (50, 0.15)}, ["refuted", "holds", "holds"]),
        ({"hme_online": (2, 0.05)}, ["holds", "refuted", "holds"]),
        ({"hme_gradient": (104, 0.05)}, ["holds", "holds", "refuted"]),
        ({"hme_gradient": (63, 0.15)}, ["open", "holds", "holds"]),
        ({"backprop_adam": (1, 0.01)}, ["holds"] * 3),
    ],
)
def test_order_of_epochs_and_smallest_error(
    changes: dict[str, tuple[float, float]], found: list[str]
) -> None:
    verdict = judged("H94-02", world(**changes))
    assert states(verdict) == found
    by_lead = {
        "refuted": VerdictLabel.NOT_REPRODUCED,
        "open": VerdictLabel.INCONCLUSIVE,
        "holds": VerdictLabel.PARTIAL,
    }
    assert verdict.verdict is (
        VerdictLabel.REPRODUCED if set(found) == {"holds"} else by_lead[found[0]]
    )


@pytest.mark.parametrize(
    ("arm", "epochs", "state"),
    [
        # More epochs of the first could only undo that it needs fewer, those of the second only
        # that it does not.
        ("hme_online", 2.0, "open"),
        ("hme_online", 200.0, "refuted"),
        ("backprop_online", 2.0, "holds"),
        ("backprop_online", 200.0, "open"),
    ],
)
def test_epochs_of_runs_still_improving_are_lower_bounds(
    arm: str, epochs: float, state: str
) -> None:
    test = OrderAndClosest(ordered=("hme_online", "backprop_online"), closest="backprop_online")
    found = verdict_of(test, falling(world(hme_online=(epochs, 0.12)), arm))
    assert states(found)[0] == state
    assert f"2 of 10 runs of {arm} were still improving" in found.why


@pytest.mark.parametrize(
    ("arm", "epochs", "state"),
    [
        ("backprop_batch", 5500.0, "holds"),
        ("backprop_batch", 35.0, "open"),
        ("hme_em", 5500.0, "open"),
        ("hme_em", 35.0, "refuted"),
    ],
)
def test_how_many_times_of_a_lower_bound(arm: str, epochs: float, state: str) -> None:
    records = falling(world(backprop_batch=(epochs, 0.09)), arm)
    assert states(judged("H94-01", records))[1] == state


def test_failed_runs_are_left_out_counted_and_shown() -> None:
    found = judged("H94-01", world(failed=5))
    assert found.verdict is VerdictLabel.REPRODUCED
    assert found.n == 5
    assert found.preliminary
    assert "5 of 10 runs of backprop_batch" in found.why
    assert "0 of 10 runs of hme_em" in found.why
    assert found.measured["backprop_batch"]["failed_runs"] == 5
    assert found.measured["backprop_batch"]["relative_error"] == pytest.approx(0.09, rel=0.1)
    assert found.measured["hme_em"]["seconds"] == 2.0


def test_an_interrupted_run_counts_as_failed() -> None:
    found = judged("H94-01", [*world(seeds=9), run("hme_em", 9, status="diverged")])
    assert found.measured["hme_em"]["failed_runs"] == 1
    assert found.n == 9


@pytest.mark.parametrize("key", BY_KEY)
@pytest.mark.parametrize(("seeds", "failed"), [(1, 0), (5, 4)])
def test_too_few_runs_are_inconclusive(key: str, seeds: int, failed: int) -> None:
    found = judged(key, changed(world(seeds), failed=lambda one: float(one.seed < failed)))
    assert found.verdict is (
        VerdictLabel.UNDECIDED if found.control_of else VerdictLabel.INCONCLUSIVE
    )
    assert found.n == 1


@pytest.mark.parametrize(
    ("epochs", "state"),
    [((1, 2, 3), "holds"), ((1, 3, 2), "refuted"), ((2, 2, 3), "refuted")],
)
def test_runs_that_do_not_vary_are_exact(epochs: tuple[float, ...], state: str) -> None:
    known = dict(zip(("hme_online", "backprop_online", "hme_gradient"), epochs, strict=True))
    records = changed(world(), epochs=lambda one: known.get(one.arm, 1.0))
    assert states(judged("H94-02", records))[0] == state


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (
            lambda: SoonerAndAsGood(base="a", arm="b", at_least=2, refuted_below=3, worse_by=1.3),
            "refuted_below",
        ),
        (
            lambda: SoonerAndAsGood(base="a", arm="b", at_least=3, refuted_below=2, worse_by=0.5),
            "worse_by=0.5",
        ),
        (lambda: OrderAndClosest(ordered=("a", "b"), closest="c"), "closest=c"),
        (lambda: OrderAndClosest(ordered=("a",), closest="a"), "two or more"),
    ],
)
def test_missing_and_misspelt_arms_are_refused(make: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()
