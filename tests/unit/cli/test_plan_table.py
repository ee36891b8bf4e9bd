"""`moebench plan`: what is decided, what it takes, and by which runs that is told."""

from dataclasses import replace
from pathlib import Path

import pytest

from moebench.cli.plan_table import plan_text
from moebench.evidence.record_files import write_all
from moebench.papers import Target
from moebench.papers.claim import Paper
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import MAX_STEPS
from moebench.testing.verdicts import claim_of, run, runs
from moebench.verdict.comparisons import Difference

# Differences with standard deviation 1: ten pairs decide a margin of 1.
SPREAD = {"a": [0.0, 1.0, 2.0], "b": [2.0, 2.0, 2.0]}
FULL = Profile("full", ["a", "b"], 10, {MAX_STEPS: 30}, arm_settings={"b": {MAX_STEPS: 60}})


@pytest.fixture
def paper(tmp_path: Path) -> Target:
    claims = [
        claim_of(Difference(first="a", second="b", margin=margin), key=key)
        for key, margin in (("X-1", 1.0), ("X-2", 0.1))
    ]
    claims.append(claim_of(Difference(first="a", second="c"), key="X-3"))
    return Target(
        paper=Paper(key="x", name="short", title="T", authors="A", year=2020, arxiv=""),
        claims=claims,
        plan=Plan([Arm(name, []) for name in "abc"], [FULL], {}),
        configs=tmp_path,
        evidence=tmp_path / "committed.jsonl",
    )


def test_what_is_decided_and_what_it_takes(paper: Target, tmp_path: Path) -> None:
    seconds = [replace(one, seconds=600.0) for one in runs(**SPREAD)]  # of ten steps
    write_all(seconds, paper.evidence)
    told = plan_text(paper, FULL, tmp_path)
    lines = told.splitlines()
    assert "decide 1 of 2 claims judged from training" in told.replace("\n", " ")
    assert "Too few seeds for X-2." in lines
    assert "Left out of full: X-3." in lines
    rows = {line.split()[0]: line.split()[1:] for line in lines if line[:2] in ("X-", "a ", "b ")}
    assert rows["X-1"][:4] == ["10", "yes", "10", "1"]
    assert rows["X-2"][1] == "no"
    # 10 runs of 30 steps, and 10 of 60, at a minute a step
    assert rows["a"] == ["10", "30", "5", "h", "0", "min"]
    assert rows["b"] == ["10", "60", "10", "h", "0", "min"]
    assert "20 runs and 15 h 0 min of one worker" in told


def test_pilots_come_first_and_committed_runs_last(paper: Target, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"plan short --profile full --pilots 3"):
        plan_text(paper, FULL, tmp_path)
    for number, folder in enumerate(("", "x/full", "x/full-pilots")):
        path = tmp_path / folder / "results.jsonl" if folder else paper.evidence
        path.parent.mkdir(parents=True, exist_ok=True)
        records = runs(a=[1.0] * (number + 2), b=[2.0] * (number + 2))
        name = path.parent.name if folder else "full"
        write_all([replace(one, profile=name) for one in records], path)
        assert f"of {2 * number + 4} runs in {path}" in plan_text(paper, FULL, tmp_path).replace(
            "\n", " "
        )


def test_the_table_for_other_programs(paper: Target, tmp_path: Path) -> None:
    write_all(runs(**SPREAD), paper.evidence)
    head, first, _ = plan_text(paper, FULL, tmp_path, "csv").splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=True))
    assert (row["claim"], row["seeds needed"], row["decides"]) == ("X-1", "10", "yes")


def test_arms_without_runs_are_not_counted(paper: Target, tmp_path: Path) -> None:
    write_all([run("a", seed) for seed in range(2)], paper.evidence)
    told = plan_text(paper, FULL, tmp_path)
    assert "X-1  no runs of b" in told
    assert "Arms without a run so far are not counted: 1." in told
