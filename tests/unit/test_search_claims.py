"""Claims that sweeps judge: the names of their trials, fronts, shares of the variance."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moebench.claims import Word
from moebench.experiment import read_yaml
from moebench.records import RunRecord, read, write_all
from moebench.reproduce import Options, reproduce
from moebench.statistics import mean_p
from moebench.sweep import evidence
from moebench.sweep.evidence import arm_of
from moebench.targets import target
from moebench.verdict import TESTS, Verdict, judge
from reproductions.loss_free_2024.paper import ARMS
from reproductions.source_notes.paper import SENSITIVITY

NAMES = ("loss-free", "notes")
CLAIM = {claim.key: claim for name in NAMES for claim in target(name).claims}


@pytest.mark.parametrize("name", NAMES)
def test_every_arm_of_a_claim_is_a_point_of_its_sweep(name: str) -> None:
    found = target(name)
    arms = set()
    for sweep, file in found.plan.sweeps.items():
        content = read_yaml(found.configs / file)
        arms.add(sweep)
        if content["sampler"] == "GridSampler":
            values = [dimension["values"] for dimension in content["space"].values()]
            points = (dict(enumerate(point)) for point in itertools.product(*values))
            arms |= {arm_of(sweep, point) for point in points}
    for claim in found.claims:
        assert claim.test in TESTS
        assert set(claim.arms) <= arms
        full = found.plan.profile("full").sweeps
        for sweep in {arm.partition("/")[0] for arm in claim.arms}:
            content = read_yaml(found.configs / found.plan.sweeps[sweep])
            assert full[sweep].get("seeds", content["seeds"]) >= claim.seeds


def record(arm: str, seed: int, metrics: dict[str, float]) -> RunRecord:
    return RunRecord(
        target="sweeps",
        profile="full",
        arm=arm,
        seed=seed,
        status="finished",
        config_hash="",
        commit="",
        metrics=metrics,
    )


def verdict(key: str, records: Sequence[RunRecord]) -> Verdict:
    [found] = judge([CLAIM[key]], records, "full")
    return found


def along_the_front(loss: Sequence[float], imbalance: Sequence[float]) -> list[RunRecord]:
    rng = np.random.default_rng(0)
    return [
        record(
            arm,
            seed,
            {
                "valid/loss": loss[place] + 0.0005 * rng.standard_normal(),
                "route/max_violation": imbalance[place] + 0.01 * rng.standard_normal(),
            },
        )
        for place, arm in enumerate(ARMS)
        for seed in range(5)
    ]


FALLING = (3.0, 2.0, 1.0, 0.5, 0.2)


@pytest.mark.parametrize(
    ("loss", "imbalance", "word"),
    [
        ((3.1, 3.05, 3.0, 3.0, 3.1), FALLING, Word.REPRODUCED),
        ((3.1, 3.05, 3.0, 3.0, 3.1), (3.0, 2.0, 1.0, 0.5, 0.6), Word.PARTIAL),
        ((3.2, 3.1, 3.1, 3.1, 3.0), FALLING, Word.NOT_REPRODUCED),  # balance costs nothing
        ((3.0, 3.0, 3.0, 3.0, 3.0), FALLING, Word.NOT_REPRODUCED),  # by less than the margin
    ],
)
def test_a_front(loss: Sequence[float], imbalance: Sequence[float], word: Word) -> None:
    found = verdict("LF24-02", along_the_front(loss, imbalance))
    assert found.verdict == word
    assert found.effect == pytest.approx(loss[-1] - min(loss[:-1]), abs=0.01)


def test_the_best_of_a_front_is_paid_for() -> None:
    records = along_the_front((3.0, 3.0, 3.0, 2.9999, 3.001), FALLING)
    of = {arm: [r.metrics["valid/loss"] for r in records if r.arm == arm] for arm in ARMS}
    best = min(ARMS[:-1], key=lambda arm: np.mean(of[arm]))
    alone = mean_p(np.array(of[ARMS[-1]]) - np.array(of[best]))
    assert 0 < alone < 0.05
    cost, *_ = verdict("LF24-02", records).conditions
    assert cost["p"] == pytest.approx(4 * alone)


def shares(**means: float) -> list[RunRecord]:
    rng = np.random.default_rng(1)
    names = {name.replace("_", " "): mean for name, mean in means.items()}
    return [
        record(
            SENSITIVITY,
            seed,
            {f"share/{name}": m + 0.01 * rng.standard_normal() for name, m in names.items()},
        )
        for seed in range(5)
    ]


@pytest.mark.parametrize(
    ("weight", "temperature", "factor", "word"),
    [
        (0.4, 0.3, 0.2, Word.REPRODUCED),
        (0.4, 0.3, 0.02, Word.PARTIAL),
        (0.02, 0.3, 0.02, Word.NOT_REPRODUCED),  # the one that the claim names first
        (0.02, 0.03, 0.02, Word.NOT_REPRODUCED),
    ],
)
def test_shares(weight: float, temperature: float, factor: float, word: Word) -> None:
    records = shares(
        balance_weight=weight, temperature=temperature, capacity_factor=factor, learning_rate=0.1
    )
    assert verdict("N5-04", records).verdict == word


def test_trials_get_the_names_of_their_points(tmp_path: Path) -> None:
    points = [{"weight": 0.0}, {"weight": 0.001}]
    summary = {
        "trials": [{"number": n, "point": point} for n, point in enumerate(points)],
        "seeds": 2,
        "importances_by_seed": {"0": {"weight": 0.7}, "1": {"weight": 0.6}},
    }
    (tmp_path / "sweep.json").write_text(json.dumps(summary))
    trained = {"steps": 9, "tokens": 90, "seconds": 2.0, "tokens_per_second": 45.0}
    records = [
        replace(record(f"trial_{n}", seed, {"valid/loss": n}), **trained)
        for n in (0, 1)
        for seed in (0, 1)
    ]
    others = [record("dense_active_flops", 0, {}), record("trial_1", 1000, {})]  # not of the search
    write_all([*records, *others], tmp_path / "results.jsonl")
    found = evidence(tmp_path, "front", "loss_free_2024", "quick")
    assert {(one.target, one.profile) for one in found} == {("loss_free_2024", "quick")}
    assert [one.arm for one in found] == ["front/0"] * 2 + ["front/0.001"] * 2 + ["front"] * 2
    assert [one.metrics.get("share/weight") for one in found[-2:]] == [0.7, 0.6]
    assert [one.arm for one in found if one.steps] == ["front/0"] * 2 + ["front/0.001"] * 2
    assert sum(one.seconds for one in found) == sum(one.seconds for one in records)


def test_a_sweep_is_part_of_a_reproduction(tiny, tmp_path: Path) -> None:
    settings = {key: value for key, value in tiny.settings().items() if key.startswith("data")}
    options = Options(profile="smoke", root=tmp_path, settings=settings, track=False, workers=2)
    [found] = reproduce(target("loss-free"), options)
    assert found.verdict == Word.NOT_TESTABLE
    records = read(tmp_path / "loss_free_2024" / "smoke" / "results.jsonl")
    assert sorted({one.arm for one in records}) == sorted(ARMS)
    assert all(one.steps == 4 for one in records)
    assert (tmp_path / "sweeps" / "loss_free_2024_smoke_front" / "report.html").exists()
