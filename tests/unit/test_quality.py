"""The ranking of routers: what is made equal, and how ranks follow from differences."""

from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import leaderboard, quality
from benchmarks.leaderboard import places, rows, with_leaderboard
from moebench.cost import parameters
from moebench.experiment import Experiment, load
from moebench.moe.layer import MoELayer
from moebench.moe.routers import ROUTERS
from moebench.records import RunRecord, read

SHAPE = "model.network.init_args.shape"


def run(arm: str, seed: int, loss: float, **changes: Any) -> RunRecord:
    given = {"target": "sweeps", "profile": "q", "status": "finished", "config_hash": "h"}
    given |= {"commit": "c", "steps": 10, "tokens": 100, "tokens_per_second": 50.0}
    given |= {"params_total": 1000, "flops_per_token": 10.0}
    return RunRecord(arm=arm, seed=seed, **{**given, "metrics": {"valid/loss": loss}, **changes})


def runs(**losses: list[float]) -> dict[str, list[RunRecord]]:
    return {
        name: [run(name, seed, loss) for seed, loss in enumerate(of)] for name, of in losses.items()
    }


def test_ranks_follow_from_paired_differences() -> None:
    """`good` beats all in every seed; `close` and dense differ by turns."""
    noise = [0.0, 0.5, -0.5]
    found = places(
        runs(
            dense=[3.0 + n for n in noise],
            close=[3.0 + n + d for n, d in zip(noise, [0.1, -0.1, 0.05], strict=True)],
            good=[2.5 + n + d for n, d in zip(noise, [0.01, 0.0, -0.01], strict=True)],
        )
    )
    assert [place.name for place in found] == ["good", "dense", "close"]
    assert [place.rank for place in found] == ["1", "2 to 3", "2 to 3"]
    assert found[0].gap.estimate == pytest.approx(-0.5)


def test_a_row_has_costs_relative_to_the_dense_model() -> None:
    slow = [run("slow", seed, 2.0 + seed, tokens_per_second=25.0) for seed in range(2)]
    found = {row[1]: row for row in rows({**runs(dense=[3.0, 4.0]), "slow": slow})}
    assert found["slow"][-1] == "2.00"
    assert found["dense"][3] == ""
    assert found["slow"][3].startswith("−1.000")


def test_runs_that_failed_are_left_out_and_an_entry_needs_one() -> None:
    failed = run("odd", 0, 0.0, status="diverged", metrics={})
    with pytest.raises(ValueError, match="odd: no run finished"):
        places({**runs(dense=[3.0, 3.1]), "odd": [failed]})
    [odd] = [
        place
        for place in places({**runs(dense=[3.0, 3.1]), "odd": [failed, run("odd", 1, 2.0)]})
        if place.name == "odd"
    ]
    assert odd.loss.n == 1
    assert odd.rank == "1 to 2"


def test_the_committed_table_is_up_to_date() -> None:
    text = leaderboard.PAGE.read_text()
    if leaderboard.RECORDS.exists():
        assert with_leaderboard(text, read(leaderboard.RECORDS)) == text
    else:
        assert "No result is committed yet." in text


def test_the_page_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "README.md"
    page.write_text(leaderboard.PAGE.read_text())
    monkeypatch.setattr(leaderboard, "PAGE", page)
    monkeypatch.setattr(leaderboard, "RECORDS", tmp_path / "quality.jsonl")
    leaderboard.publish(runs(dense=[3.0, 3.1], Switch=[2.0, 2.2]))
    text = page.read_text()
    assert "| 1 | Switch | 2.100" in text.replace("\\", "").replace("1 to 2", "1")
    assert with_leaderboard(text, read(tmp_path / "quality.jsonl")) == text


def build(settings: dict[str, object]) -> torch.nn.Module:
    experiment: Experiment = load([quality.DENSE], settings)
    return experiment.build(logger=False)[0]


# 8 experts in 4 groups leave nothing to choose within a group.
TAKE_PART = [name for name in ROUTERS if name not in ("everyone", "hierarchical")]


@pytest.mark.parametrize("name", TAKE_PART)
def test_every_router_has_the_parameters_of_eight_experts(name: str) -> None:
    """Apart from the router itself."""
    entry = quality.entry_of(f"moebench.moe.routers.{ROUTERS[name].__name__}")
    model = build(dict(entry.settings))
    layers = [layer for layer in model.modules() if isinstance(layer, MoELayer)]
    assert [parameters(layer.experts) for layer in layers] == [8 * 2 * 64 * 256] * 2
    tuned = [dimension.name for dimension in entry.space]
    learns = name not in ("hashed", "random")
    assert tuned == ["learning rate", "balance weight"][: 2 if learns else 1]


def test_a_router_that_takes_all_experts_takes_no_part() -> None:
    with pytest.raises(ValueError, match=r"router=moebench.moe.routers.Everyone: .* 8 of 8"):
        quality.entry_of("moebench.moe.routers.Everyone")


def test_a_router_that_needs_more_experts_takes_no_part() -> None:
    with pytest.raises(ValueError, match=r"router=.*Hierarchical: cannot be made and used: k=2"):
        quality.entry_of("moebench.moe.routers.Hierarchical")


@pytest.mark.parametrize("class_path", ["nowhere.Router", "moebench.moe.routers.Swich", "Switch"])
def test_a_router_that_is_not_there(class_path: str) -> None:
    with pytest.raises(ValueError, match=f"router={class_path}: no such class"):
        quality.entry_of(class_path)


def test_a_router_that_needs_more_than_experts() -> None:
    with pytest.raises(ValueError, match=r"router=torch.nn.Bilinear: cannot be made"):
        quality.entry_of("torch.nn.Bilinear")
