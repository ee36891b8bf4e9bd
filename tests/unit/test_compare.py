"""Mixtures against dense models: what may be compared, and the results."""

import csv
import io
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from moebench import tracking
from moebench.cli import main as cli
from moebench.cli.main import main
from moebench.comparison import (
    Comparison,
    Pair,
    compare,
    found_runs,
    from_files,
    wanted,
    wanted_tags,
)
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write, write_all
from moebench.report.comparison.page import (
    comparison_markdown,
    comparison_page,
    comparison_text,
    write_comparison,
)
from moebench.report.comparison.pair_sheet import pair_sheet
from moebench.testing import verdicts
from moebench.tracking import Logged, Wanted

EVERYTHING = Wanted()


def record(arm: str, seed: int, loss: float, **changes: Any) -> RunRecord:
    """A run of 100 steps of 10 tokens, with a straight curve from 5 to its loss."""
    metrics = {
        "valid/loss": loss,
        **{f"valid/loss@{s}": 5 + (loss - 5) * s / 100 for s in (50, 100)},
    }
    if not arm.startswith("dense"):
        metrics["route/dropped"] = 0.1
    given = verdicts.run(
        arm,
        seed,
        target="paper",
        profile="quick",
        hardware={"processor": "p", "cores": 2},
        data_hash="d",
        steps=100,
        tokens=1000,
        params_total=10 if arm.startswith("dense") else 40,
        params_active=10 if arm.startswith("dense") else 20,
        flops_per_token=20.0,
        seconds=10.0,
        tokens_per_second=100.0,
        metrics=metrics,
    )
    return replace(given, **changes)


def logged(*records: RunRecord, began: float = 0.0, **data: str) -> list[Logged]:
    return [Logged(one, began, {}, data) for one in records]


def only(comparison: Comparison) -> Pair:
    """The one pair of a comparison."""
    [pairs] = comparison.groups.values()
    [pair] = pairs
    return pair


def refused(comparison: Comparison) -> dict[str, str]:
    return {refusal.arm: refusal.why for refusal in comparison.refusals}


DENSE = [record("dense", seed, 3.0) for seed in range(3)]
SPARSE = [record("sparse", seed, loss) for seed, loss in enumerate((2.8, 2.7, 2.9))]


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


def test_the_command_selects_by_tag_and_says_so(tmp_path: Path, capsys: Any) -> None:
    other = record("sparse_b", 0, 2.0)
    write_all([*DENSE, *SPARSE, other], tmp_path / "results.jsonl")
    given = ["compare", "--records", str(tmp_path / "results.jsonl"), "--out", str(tmp_path)]
    assert main([*given, "--tag", "arm=sparse"]) == 0
    assert "sparse_b" not in capsys.readouterr().out
    written = (tmp_path / "compare.md").read_text()
    assert ", mixtures with arm sparse." in written
    assert "sparse_b" not in written


def test_the_command_says_what_its_files_omit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "KEPT", 1)
    others = [record(f"sparse_{n}", 0, 2.0) for n in range(3)]
    write_all([*DENSE, *others], tmp_path / "results.jsonl")
    given = ["compare", "--records", str(tmp_path / "results.jsonl"), "--out", str(tmp_path)]
    assert main(given) == 0
    assert (
        "2 pairs after the best 1 of a profile are left out"
        in (tmp_path / "compare.md").read_text()
    )


def test_different_data_are_named_by_setting() -> None:
    spans = logged(DENSE[0], **{"data.init_args.objective": "SpanCorruption"})
    tokens = logged(SPARSE[0], **{"data.init_args.objective": "NextToken"})
    assert "different data (objective)" in refused(compare([*spans, *tokens]))["sparse"]


def test_times_of_two_machines_are_never_equal() -> None:
    other = record("dense", 0, 3.0, hardware={"processor": "q"})
    assert only(compare(logged(other, SPARSE[0]))).equal == ["flops_per_token"]


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


def test_the_files_say_the_same(tmp_path: Path) -> None:
    comparison = compare(logged(*DENSE, *SPARSE, record("odd", 0, 3.0, status="failed")))
    row = next(csv.DictReader(io.StringIO(pair_sheet(comparison).csv())))
    pair = only(comparison)
    assert float(row["difference"]) == pair.difference.estimate
    assert float(row["difference_low"]) == pair.difference.low
    assert (row["mixture"], row["dense"], row["equal_in"], row["n"]) == (
        *("sparse", "dense", "FLOPs time", "3"),
    )
    markdown = comparison_markdown(comparison, "3 runs")
    page = comparison_page(comparison, "3 runs")
    for text in (comparison_text(comparison), markdown, page):
        assert "−0.20 [−0.45, +0.05]" in text.replace("\\", "")
        assert "no run finished: 1 failed" in text
    assert [p.name for p in write_comparison(comparison, tmp_path / "new", "3 runs")] == [
        *("compare.csv", "compare.tex", "compare.md", "compare.html"),
    ]
    assert "http" not in page
    assert "&lt;" in comparison_page(compare(logged(record("<b>", 0, 1.0))), "")


def test_one_seed_has_no_interval() -> None:
    row = next(csv.DictReader(io.StringIO(pair_sheet(compare(logged(DENSE[0], SPARSE[0]))).csv())))
    assert (row["difference_low"], row["difference_high"]) == ("", "")
    assert math.isclose(float(row["difference"]), -0.2)


LEAKY = replace(SPARSE[0], leaks="later tokens, other sequences")
MARKED = replace(LEAKY, planned={"flops_per_token": 20.5, "seconds_per_step": 0.1})


def test_mixtures_that_leak_are_marked_with_a_footnote() -> None:
    kinds = "later tokens, other sequences"
    note = f"† causal, but its routing depends on more than the tokens so far: {kinds}"
    for found, leaks in [(compare(logged(DENSE[0], LEAKY)), True), (sound(), False)]:
        page = comparison_page(found, "2 runs")
        for text in (comparison_text(found), comparison_markdown(found, "2 runs"), page):
            assert (note in text) == leaks
            assert ("sparse†" in text) == leaks
            assert "dense†" not in text
        [row] = csv.DictReader(io.StringIO(pair_sheet(found).csv()))
        assert row["leaks"] == (kinds if leaks else "")


def sound() -> Comparison:
    return compare(logged(DENSE[0], SPARSE[0]))


def folder_of_runs(root: Path, runs: Sequence[RunRecord] = (DENSE[0], MARKED)) -> Path:
    """A folder with these runs, and with tags for the sparse arm of the target `paper`."""
    for one in runs:
        folder = root / one.target / one.profile / one.arm / f"seed_{one.seed}"
        folder.mkdir(parents=True)
        write(one, folder / "record.json")
        (folder / "config.json").write_text(
            json.dumps({"data": {"class_path": "Text", "init_args": {"length": 64, "seed": 9}}})
        )
        lines = [
            f'{{"step": {step}, "time": 1.0, "valid/loss": {one.metrics[f"valid/loss@{step}"]}}}\n'
            for step in (50, 100)
        ]
        (folder / "history.jsonl").write_text("".join(lines))
    (root / "paper" / "quick" / "tags.json").write_text('{"sparse": {"best": "true"}}')
    return root


def test_folders_and_files_of_records(tmp_path: Path) -> None:
    root = folder_of_runs(tmp_path / "runs")
    found = from_files(root, EVERYTHING)
    assert {run.record.arm for run in found} == {"dense", "sparse"}
    assert found[0].data == {"data.class_path": "Text", "data.init_args.length": "64"}
    assert [run.tags.get("best") for run in sorted(found, key=lambda run: run.record.arm)] == [
        None,
        "true",
    ]
    assert from_files(root, Wanted(profile="full", target="paper")) == []
    (root / "compare").mkdir()  # where the command writes
    (root / "compare" / "compare.csv").touch()
    assert len(from_files(root, EVERYTHING)) == len(found)
    file = tmp_path / "results.jsonl"
    write_all([*DENSE, *SPARSE], file)
    assert len(from_files(file, EVERYTHING)) == 6
    assert from_files(file, Wanted(until=0.0)) == []
    with pytest.raises(FileNotFoundError, match=r"no matching run \(profile none\)"):
        found_runs(root, None, Wanted(profile="none"))
    with pytest.raises(FileNotFoundError, match="nowhere: neither"):
        from_files(tmp_path / "nowhere", EVERYTHING)


@pytest.mark.usefixtures("no_server")
def test_mlflow_returns_what_was_sent(tmp_path: Path, empty_database: Path) -> None:
    """The database, the client and the files give the same runs."""
    root = folder_of_runs(tmp_path / "runs")
    files, place = found_runs(root, None, EVERYTHING)
    assert place == f"2 runs from {root}, all"
    shutil.copy(empty_database, root)
    tracking.send(root)
    database, place = found_runs(root, None, EVERYTHING)
    assert place == "2 runs from MLflow, all"

    def known(runs: list[Logged]) -> list[tuple[RunRecord, dict[str, str]]]:
        return sorted(((run.record, dict(run.data)) for run in runs), key=lambda one: one[0].arm)

    assert known(database) == known(files)
    store = tracking.connect(root).store
    from moebench.tracking.finished import of_server
    from moebench.tracking.read import _logged

    served = [_logged(parts) for parts in of_server(store.client, store.experiment, {})]
    assert known(served) == known(files)
    for filters in (
        Wanted(target="paper", profile="quick"),
        Wanted(profile="it's"),
        Wanted(target="other"),
        Wanted(since=1e12),
    ):
        ours = sorted(run.record.arm for run in tracking.logged(root, filters))
        parts = of_server(store.client, store.experiment, filters.required())
        theirs = sorted(run.record.arm for run in map(_logged, parts) if filters.takes(run))
        assert ours == theirs


@pytest.mark.usefixtures("no_server")
def test_mlflow_returns_only_the_heads_of_search_trials(
    tmp_path: Path, empty_database: Path
) -> None:
    """A search may have 10,000 trials, of which `compare` needs the number alone.

    Of another target a seed below 1000 judges, as a fresh one of a search does.
    """
    of_search = {"target": "sweeps", "profile": "s"}
    arms = [("dense", 1000, 3.0), ("sparse", 1000, 2.5), ("sparse", 0, 2.0), ("other", 0, 1.0)]
    searched = [record(arm, seed, loss, **of_search) for arm, seed, loss in arms]
    root = folder_of_runs(tmp_path / "runs", [DENSE[0], SPARSE[0], *searched])
    files, _ = found_runs(root, None, EVERYTHING)
    shutil.copy(empty_database, root)
    tracking.send(root)
    database, _ = found_runs(root, None, EVERYTHING)
    store = tracking.connect(root).store
    from moebench.tracking.finished import HEAD, of_server
    from moebench.tracking.read import _logged

    served = [_logged(parts) for parts in of_server(store.client, store.experiment, {})]
    for found in (database, served):
        chose = [run for run in found if set(run.tags) == set(HEAD)]
        assert sorted(run.record.arm for run in chose) == ["other", "sparse"]
        assert not any(run.record.metrics or run.data for run in chose)
        assert compare(found) == compare(files)
        judged = [run.record for run in found if run not in chose]
        assert all(one in judged for one in (DENSE[0], SPARSE[0], *searched[:2]))


def test_a_run_deleted_in_the_ui_is_gone(runs_root: Path) -> None:
    root = folder_of_runs(runs_root)
    tracking.send(root)
    store = tracking.connect(root).store
    for run in store.search(arm="sparse"):
        store.client.delete_run(run.run_id)
    assert [run.record.arm for run in tracking.logged(root, EVERYTHING)] == ["dense"]


def test_a_missing_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(ConnectionError, match=r"none.db failed \(no such file\)"):
        tracking.logged(tmp_path, EVERYTHING)
    assert list(tmp_path.iterdir()) == []


def test_filters_in_words() -> None:
    chosen = wanted("paper_2021", "", "1970-01-01", "1970-01-01")
    assert str(chosen) == (
        "target paper_2021, since 1970-01-01 00:00 UTC, until 1970-01-02 00:00 UTC"
    )
    assert wanted("", "") == EVERYTHING
    assert wanted_tags(["best=true", "note=a=b"]) == {"best": "true", "note": "a=b"}


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        ("2026-02-02", "2026-02-01", "since=2026-02-02: is after until=2026-02-01"),
        ("2026-02-30", "", "since=2026-02-30: expected a day"),
        ("", "soon", "until=soon: expected a day such as 2026-01-31"),
    ],
)
def test_filters_that_make_no_sense(since: str, until: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        wanted("", "", since, until)


@pytest.mark.parametrize("tag", ["best", "best=", "=true"])
def test_a_tag_without_a_value(tag: str) -> None:
    with pytest.raises(ValueError, match=f"tag={tag}: expected name=value"):
        wanted_tags([tag])


TEXT = {"data/overlap": 0.0123, "data/overlap/art": 0.0, "data/overlap/law": 0.0456}
SAID = (
    "Validation text that stands in the training text, in runs of 32 tokens: "
    "1.23% (art 0.00%, law 4.56%)"
)


def on(record: RunRecord, shares: dict[str, float]) -> RunRecord:
    return replace(record, metrics={**record.metrics, **shares})


def test_the_overlap_of_the_splits_is_reported() -> None:
    for shares, said in ((TEXT, True), ({}, False)):
        found = compare(logged(on(DENSE[0], shares), on(SPARSE[0], shares)))
        assert (SAID in comparison_text(found)) == said
        assert (f"{SAID}." in comparison_markdown(found, "2 runs")) == said
        assert (f"{SAID}." in comparison_page(found, "2 runs")) == said


def test_each_target_of_a_comparison_has_its_own_overlap() -> None:
    elsewhere = [replace(one, target="else") for one in (DENSE[0], SPARSE[0])]
    runs = logged(*elsewhere, on(DENSE[0], TEXT), on(SPARSE[0], TEXT))
    written = comparison_markdown(compare(runs), "4 runs")
    first, second = written.split("## else quick")[1].split("## paper quick")
    assert "Validation text" not in first
    assert SAID in second
