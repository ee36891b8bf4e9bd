"""`moebench plan --pilots`: seeds that judge nothing are trained, and size the ones that will."""

from pathlib import Path

import pytest

from moebench.cli import running
from moebench.cli.main import main
from moebench.evidence.record_files import read
from moebench.papers import Target
from moebench.papers.claim import Paper
from moebench.papers.plan import Arm, Plan, Profile
from moebench.testing.verdicts import claim_of
from moebench.verdict.comparisons import Difference


@pytest.fixture
def paper(tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "mixture.yaml").write_text(tiny("switch_8.yaml").to_yaml())
    arms = [
        Arm("mixture", ["mixture.yaml"]),
        Arm("dense", ["mixture.yaml"], twin_of="mixture", matched_on="active_flops"),
    ]
    profile = Profile("full", ["mixture", "dense"], 3, {}, {"dense": 4}, first_seed=7)
    found = Target(
        paper=Paper(key="tiny_paper", name="tiny", title="T", authors="A", year=2020, arxiv=""),
        claims=[claim_of(Difference(first="mixture", second="dense", margin=0.01))],
        plan=Plan(arms, [profile], {}),
        configs=folder,
        evidence=tmp_path / "committed.jsonl",
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(running, "target", lambda _: found)
    return found


def test_pilots_size_a_plan(paper: Target, tmp_path: Path, capsys) -> None:
    command = ["plan", "tiny", "--root", str(tmp_path)]
    assert main(command) == 2
    assert "--pilots 3` makes some that judge nothing" in capsys.readouterr().err
    for wrong in ("1", "8"):  # no spread, and the first seed that judges
        assert main([*command, "--pilots", wrong]) == 2
        assert f"pilots={wrong}: must be from 2 to 7" in capsys.readouterr().err
    assert main([*command, "--device", "cpu"]) == 2  # nothing trains
    assert "only pilots are trained; add --pilots" in capsys.readouterr().err
    assert not (tmp_path / "tiny_paper").exists()

    assert main([*command, "--pilots", "2"]) == 0
    told = capsys.readouterr().out
    records = read(tmp_path / "tiny_paper" / "full-pilots" / "results.jsonl")
    assert {(one.arm, one.seed) for one in records} == {
        (arm, seed) for arm in ("mixture", "dense") for seed in (0, 1)
    }
    assert "of 4 runs in" in told.replace("\n", " ")
    assert "In all 7 runs" in told
    assert main([*command, "--profile", "ful"]) == 2
    assert "full" in capsys.readouterr().err
