"""The claim judged by a sweep: arms are points of the sweep, and the sweep runs."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from moebench.cli.reproduce import ReproduceOptions, reproduce
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read
from moebench.papers import target
from moebench.papers.claim import NOT_JUDGED, VerdictLabel
from moebench.run.execution import Execution
from moebench.testing.verdicts import run, verdict_of
from reproductions.loss_free_2024.paper import ARMS, PAPER, TRADE_OFF

FALLING = (3.0, 2.0, 1.0, 0.5)
HIGHEST = "front/0.1"  # of the sweep, and not judged


def along_the_front(loss: Sequence[float], imbalance: Sequence[float]) -> list[RunRecord]:
    records = []
    for place, arm in enumerate(ARMS):
        for seed in range(5):
            sign = (-1) ** (seed + place)
            violation = {"route/max_violation": imbalance[place] + 0.01 * sign}
            records.append(run(arm, seed, loss[place] + 0.0005 * sign, metrics=violation))
    return records


@pytest.mark.parametrize(
    ("loss", "imbalance", "word"),
    [
        ((3.1, 3.0, 3.0, 3.1), FALLING, VerdictLabel.REPRODUCED),
        ((3.1, 3.0, 3.0, 3.1), (3.0, 2.0, 1.0, 1.1), VerdictLabel.PARTIAL),
        ((3.2, 3.1, 3.1, 3.0), FALLING, VerdictLabel.NOT_REPRODUCED),  # balance costs nothing
        (
            (3.0, 3.0, 3.0, 3.0),
            FALLING,
            VerdictLabel.NOT_REPRODUCED,
        ),  # by less than the margin
    ],
)
def test_the_trade_off(
    loss: Sequence[float], imbalance: Sequence[float], word: VerdictLabel
) -> None:
    [claim] = TRADE_OFF
    beyond = [run(HIGHEST, seed, 4.0, metrics={"route/max_violation": 9.0}) for seed in range(5)]
    assert verdict_of(claim, [*along_the_front(loss, imbalance), *beyond]).verdict is word


def test_the_sweep_is_part_of_the_reproduction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only its ends, with four steps of a small model; the profile smoke judges nothing."""
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    text, chance = tmp_path / "text", random.Random(0)
    for domain, letters in (("first", "abcdefgh"), ("second", "nopqrstu")):
        (text / domain).mkdir(parents=True)
        for number in range(60):
            words = ("".join(chance.choices(letters, k=5)) for _ in range(300))
            (text / domain / f"{number}.txt").write_text(" ".join(words))
    small = {
        "data.init_args.source": {"class_path": "Files", "init_args": {"path": str(text)}},
        "data.init_args.vocabulary": 300,
        "data.init_args.length": 32,
        "data.init_args.batch_size": 8,
        "data.init_args.valid_batches": 2,
    }
    found = target("loss-free")
    whole = (found.configs / "front.yaml").read_text()
    ends = whole.replace("[0.0, 1.0e-4, 1.0e-3, 1.0e-2, 1.0e-1]", "[0.0, 1.0e-1]")
    (tmp_path / "front.yaml").write_text(ends.replace("..", str(found.configs.parent)))
    options = ReproduceOptions(
        "smoke", root=tmp_path, settings=small, track=False, execution=Execution(2)
    )
    smoke = replace(found.plan.profile("smoke"), arms=[], computed=[])
    plan = replace(found.plan, profiles=[smoke])
    judged = reproduce(replace(found, configs=tmp_path, plan=plan), options)
    assert all(one.verdict in NOT_JUDGED for one in judged)
    records = read(tmp_path / PAPER.key / "smoke" / "results.jsonl")
    assert sorted({one.arm for one in records}) == [ARMS[0], HIGHEST]
    assert all(one.steps == 4 for one in records)
    versions = {claim.key: claim.version for claim in TRADE_OFF}
    assert all(one.claims == versions for one in records), "trials know what they are to judge"
    assert (tmp_path / "sweeps" / f"{PAPER.key}_smoke_front" / "report.html").exists()
