"""Mixtures against dense models: what may be compared, and the results."""

import math
from typing import Any

import pytest
from scipy import stats

from moebench.comparison import Comparison, compare
from moebench.report.comparison.page import comparison_text
from moebench.report.comparison.pair_sheet import pair_sheet
from moebench.tracking import Logged

from .fakes import DENSE, SPARSE, logged, only, record


def refused(comparison: Comparison) -> dict[str, str]:
    return {refusal.arm: refusal.why for refusal in comparison.refusals}


def test_a_pair_is_compared_seed_by_seed() -> None:
    pair = only(compare(logged(*DENSE, *SPARSE)))
    assert pair.difference.estimate == pytest.approx(-0.2)
    half = stats.t.ppf(0.975, 2) * 0.1 / math.sqrt(3)
    assert pair.difference.low == pytest.approx(-0.2 - half)
    assert pair.difference.high == pytest.approx(-0.2 + half)
    assert pair.ends == pytest.approx((2.8, 3.0))
    assert pair.gain == pytest.approx(0.2)
    assert pair.ratios == pytest.approx(
        {"flops_per_token": 1.0, "params_total": 4.0, "seconds_per_step": 1.0}
    )
    assert pair.equal == ["flops_per_token", "seconds_per_step"]


def test_steps_and_time_to_the_loss_of_the_dense_model() -> None:
    """Dense goes from 5 to 3, the mixture from 5 to 1 at half the speed: 50 steps, equal time."""
    slow = record("sparse", 0, 1.0, tokens_per_second=50.0)
    pair = only(compare(logged(record("dense", 0, 3.0), slow)))
    assert pair.steps_ratio.estimate == pytest.approx(2.0)
    assert pair.time_ratio.estimate == pytest.approx(1.0)
    assert pair.never == 0
    # The dense model ends after 10 s, when the mixture is half way, at 3.
    assert pair.difference_at_equal_time.estimate == pytest.approx(0.0)
    assert pair.equal == ["flops_per_token"]


def test_a_mixture_that_never_gets_there_gives_an_upper_bound() -> None:
    comparison = compare(logged(record("dense", 0, 3.0), record("sparse", 0, 3.5)))
    pair = only(comparison)
    assert pair.never == 1
    assert pair.steps_ratio.estimate == pytest.approx(1.0)
    assert "≤ 1.000" in comparison_text(comparison)


def test_only_common_seeds_count() -> None:
    pair = only(compare(logged(*DENSE[:2], *SPARSE[1:])))
    assert pair.seeds == [1]
    assert pair.difference.estimate == pytest.approx(-0.3)
    assert "dense" in refused(compare(logged(DENSE[0], SPARSE[1])))["sparse"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"data_hash": "e"}, "different data (d, e)"),
        ({"tokens": 2000}, "2,000 tokens, not 1,000"),
        ({"flops_per_token": 30.0, "tokens_per_second": 10.0}, "has no equal cost (FLOPs x0.67"),
        ({"seed": 7}, "no seed in common"),
    ],
)
def test_incomparable_arms_are_refused_with_the_reason(changes: dict[str, Any], why: str) -> None:
    dense = record(**{"arm": "dense", "seed": 0, "loss": 3.0, **changes})
    comparison = compare(logged(dense, SPARSE[0]))
    assert why in refused(comparison)["sparse"]
    assert not comparison.groups
    assert why in comparison_text(comparison)


@pytest.mark.parametrize(
    ("flops", "dropped", "told"),
    [(22.0, 0.25, True), (18.0, 0.25, False), (22.0, 0.0, False)],
)
def test_a_refusal_says_that_drops_made_the_mixture_cheaper(
    flops: float, dropped: float, told: bool
) -> None:
    """The mixture has 20 FLOPs a token."""
    dense = record("dense", 0, 3.0, flops_per_token=flops, tokens_per_second=10.0)
    sparse = record("sparse", 0, 3.0, metrics={"valid/loss": 3.0, "route/dropped": dropped})
    why = refused(compare(logged(dense, sparse)))["sparse"]
    assert "no equal cost" in why
    assert why.endswith("; 25% of assignments were dropped)") == told
    assert ("dropped" in why) == told


def test_a_refused_partner_is_reported_next_to_an_accepted_one() -> None:
    other = record("dense_b", 0, 3.0, data_hash="e")
    comparison = compare(logged(DENSE[0], other, SPARSE[0]))
    assert only(comparison).dense.arm == "dense"
    assert refused(comparison) == {"sparse": "dense_b used different data (d, e)"}


def test_times_of_different_machines_are_not_compared() -> None:
    fast = record("dense", 0, 3.0, hardware={"processor": "q", "cores": 2})
    comparison = compare(logged(fast, SPARSE[0]))
    pair = only(comparison)
    assert pair.time_ratio.n == pair.difference_at_equal_time.n == 0
    assert pair.steps_ratio.n == pair.difference.n == 1
    assert pair.equal == ["flops_per_token"]
    assert pair_sheet(comparison).csv().splitlines()[1].endswith(",,,")


def test_tags_select_only_mixtures() -> None:
    best, other = (
        Logged(record(arm, 0, 2.5), 0.0, {"best": word}, {})
        for arm, word in (("sparse", "true"), ("sparse_b", "false"))
    )
    comparison = compare([*logged(DENSE[0]), best, other], tags={"best": "true"})
    assert only(comparison).mixture.arm == "sparse"
    assert not comparison.refusals
    with pytest.raises(ValueError, match="tag=best=maybe: no comparable mixture has it"):
        compare([*logged(DENSE[0]), best], tags={"best": "maybe"})


@pytest.mark.parametrize(("status", "counts"), [("failed", False), ("diverged", True)])
def test_divergence_is_a_result_but_a_later_failure_is_not(status: str, counts: bool) -> None:
    again = record("sparse", 0, 2.8, status=status, metrics={})
    runs = [*logged(DENSE[0], SPARSE[0]), *logged(again, began=9.0)]
    comparison = compare(runs)
    assert (refused(comparison) == {"sparse": f"no run finished: 1 {status}"}) == counts
    assert bool(comparison.groups) != counts


def test_runs_of_a_search_are_one_refusal_after_the_pairs() -> None:
    """With and without tags; the runs of a search have none."""
    of_search = {"target": "sweeps", "profile": "s"}
    tuning = [record(f"dense.tuning_{n}", 0, 3.0, **of_search) for n in range(9)]
    judged = [record("sparse", 1000, 2.5, **of_search), record("dense", 1000, 3.0, **of_search)]
    other = record("dense_b", 1000, 3.0, data_hash="e", **of_search)
    failed = record("sparse_b", 1000, 0.0, status="failed", metrics={}, params_total=0, **of_search)
    runs = [Logged(one, 0.0, {"arm": one.arm}, {}) for one in (*tuning, *judged, other, failed)]
    tagged = compare(runs, tags={"arm": "sparse"})
    assert only(tagged).dense.arm == "dense"
    assert list(refused(tagged)) == ["sparse", "9 arms"]
    assert list(refused(compare(runs))) == ["sparse_b", "sparse", "9 arms"]
    assert compare(runs).count == 1


def test_a_search_without_fresh_seeds_is_refused() -> None:
    trials = [record(f"trial_{n}", 0, 3.0, target="sweeps", metrics={}) for n in range(2)]
    for tags in ({}, {"best": "true"}):
        assert list(refused(compare(logged(*trials), tags=tags))) == ["2 arms"]


def test_different_data_are_named_by_setting() -> None:
    spans = logged(DENSE[0], **{"data.init_args.objective": "SpanCorruption"})
    tokens = logged(SPARSE[0], **{"data.init_args.objective": "NextToken"})
    assert "different data (objective)" in refused(compare([*spans, *tokens]))["sparse"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "diverged"}, "no run finished: 1 diverged"),
        ({"steps": 0, "tokens_per_second": 0.0}, "computed, not trained"),
        ({"metrics": {"route/dropped": 0.0}}, "no valid/loss"),
    ],
)
def test_arms_without_usable_results_are_refused(changes: dict[str, Any], why: str) -> None:
    odd = record("odd", 0, 3.0, **changes)
    comparison = compare(logged(DENSE[0], SPARSE[0], odd))
    assert refused(comparison) == {"odd": why}
    assert only(comparison).mixture.arm == "sparse"


def test_an_arm_with_two_configurations_is_refused() -> None:
    mixed = [record("odd", 0, 3.0), record("odd", 1, 3.0, config_hash="other")]
    comparison = compare(logged(*DENSE, *mixed))
    assert "2 configurations: odd, other" in refused(comparison)["odd"]


def test_only_fresh_seeds_of_a_search_are_compared() -> None:
    """The seeds that selected the winner are biased in its favour."""
    runs = [
        record(arm, seed, loss, target="sweeps")
        for arm, seed, loss in [
            *(("trial_0", 0, 2.0), ("trial_1", 0, 2.5), ("dense_a", 0, 3.0)),
            *(("trial_0", 1000, 2.9), ("dense_a", 1000, 3.0)),
        ]
    ]
    comparison = compare(logged(*runs))
    assert only(comparison).difference.estimate == pytest.approx(-0.1)
    assert "fresh seeds" in refused(comparison)["trial_1"]


def test_mixtures_are_recognised_by_inactive_parameters_or_routing_metrics() -> None:
    short = record("short", 0, 2.9, metrics={"valid/loss": 2.9})  # too short to log routing
    everyone = record("everyone", 0, 2.8, params_active=40)
    [pairs] = compare(logged(DENSE[0], short, everyone)).groups.values()
    assert [pair.mixture.arm for pair in pairs] == ["everyone", "short"]


def test_a_profile_without_a_dense_model_says_so() -> None:
    assert refused(compare(logged(*SPARSE))) == {"sparse": "no dense model in this profile"}


def test_the_newer_of_two_runs_with_the_same_seed_counts() -> None:
    old = logged(record("sparse", 0, 9.0), began=1.0)
    new = logged(record("sparse", 0, 2.0), began=2.0)
    pair = only(compare([*new, *old, *logged(DENSE[0])]))
    assert pair.ends[0] == pytest.approx(2.0)


def test_runs_on_other_data_are_a_group_of_their_own() -> None:
    """A text that was changed and changed back leaves runs of both, of different seeds."""
    flat = {"data.init_args.source.init_args.path": "texts/mine"}
    first = [run._replace(data=flat) for run in logged(*DENSE, *SPARSE)]
    yours = {"data": {"class_path": "Text", "init_args": {"world": {"class_path": "Recall"}}}}
    changes = {"data_hash": "0123456789", "config": yours}
    other = [record("dense", 0, 3.0, **changes), record("sparse", 0, 2.0, **changes)]
    lost = record("sparse", 9, 2.0, data_hash="", status="failed")
    comparison = compare([*first, *logged(*other, lost, began=9.0)])
    names = [name for _, name in comparison.groups]
    assert names == ["quick on Recall (012345)", "quick on mine (d)"]
    assert [pairs[0].difference.n for pairs in comparison.groups.values()] == [1, len(SPARSE)]
    assert not comparison.refusals


def test_profiles_are_never_mixed() -> None:
    full = record("dense", 0, 3.0, profile="full")
    assert refused(compare(logged(full, SPARSE[0])))["sparse"] == "no dense model in this profile"


def test_another_metric_and_an_unknown_one() -> None:
    runs = logged(*(record(f"{a}", 0, 3.0) for a in ("dense", "sparse")))
    for run in runs:
        run.record.metrics["error"] = 0.25 if run.record.arm == "dense" else 0.125  # type: ignore[index]
    assert only(compare(runs, "error")).difference.estimate == -0.125
    with pytest.raises(ValueError, match="metric=los: no run has it; one of error, route"):
        compare(runs, "los")


def test_the_best_pairs_are_kept() -> None:
    many = [record(f"sparse_{i}", 0, 3.0 - i / 10) for i in range(5)]
    many += [record(f"lost_{i}", 0, 3.0, status="failed") for i in range(5)]
    best = compare(logged(DENSE[0], *many)).best(2)
    [pairs] = best.groups.values()
    assert [pair.mixture.arm for pair in pairs] == ["sparse_4", "sparse_3"]
    assert len(best.refusals) == 2
