"""Arms whose routing leaks have a mark in every table that judges or compares them."""

from dataclasses import replace
from pathlib import Path

import pytest

from moebench import report
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_all
from moebench.papers.claim import Paper
from moebench.report.paper.verdict_table import table
from moebench.testing.verdicts import claim_of, run
from moebench.verdict import judge
from moebench.verdict.comparisons import Difference

PAPER = Paper(key="p", title="Sparse", authors="A. Nobody", year=2021, arxiv="")
CLAIM = claim_of(
    Difference(first="sparse", second="dense", margin=0.1),
    key="XY21-03n",  # as long as keys are
    says="sparse beats dense",
    matched_on="active_flops",
    seeds=2,
)
NOTE = "† causal, but its routing depends on more than the tokens so far: "
BOTH = f"{NOTE}later tokens, other sequences"


def runs(*leaks: str) -> list[RunRecord]:
    """Two seeds of a mixture that leaks, and of a dense model."""
    leaking = [run("sparse", s, 2 + s / 10, target="p", leaks=of) for s, of in enumerate(leaks)]
    return [*leaking, *(run("dense", s, 3 + s / 10, target="p") for s in range(2))]


LEAKY = runs("other sequences", "later tokens, other sequences")


def test_verdicts_and_costs_on_a_terminal() -> None:
    lines = table(judge([CLAIM], LEAKY, "full")).splitlines()
    assert any(line.startswith(f"{CLAIM.key}†  ") for line in lines)
    words = [line.split()[:2] for line in lines]
    assert ["sparse†", "2"] in words
    assert ["dense", "2"] in words
    assert lines[-1] == BOTH
    assert max(map(len, lines)) <= 120
    assert "†" not in table(judge([CLAIM], runs("", ""), "full"))


def test_verdicts_in_a_readme() -> None:
    lines = report.markdown_table(judge([CLAIM], LEAKY, "full")).splitlines()
    assert any(line.startswith(f"| {CLAIM.key}† | ") for line in lines)
    assert lines[-2:] == ["", f"{BOTH}."]
    assert "†" not in report.markdown_table(judge([CLAIM], runs("", ""), "full"))


def page(folder: Path, records: list[RunRecord], profile: str = "full") -> str:
    write_all(records, folder / "results.jsonl")
    return report.render(folder, PAPER, [CLAIM], judge([CLAIM], records, profile), {})


def test_verdicts_and_costs_of_a_page(tmp_path: Path) -> None:
    written = page(tmp_path, LEAKY)
    assert f'<span class="key">{CLAIM.key}†</span>' in written
    assert written.count('<th scope="row">sparse†</th>') == 2, "below the verdict, and its costs"
    assert written.count(f"{BOTH}.") == 2
    assert "dense†" not in written
    assert "†" not in page(tmp_path, runs("", ""))


def test_claims_on_a_page_that_were_not_judged(tmp_path: Path) -> None:
    smoke = [replace(one, profile="smoke") for one in LEAKY]
    written = page(tmp_path, smoke, "smoke").partition("Not judged</h2>")[2]
    assert f'<span class="key">{CLAIM.key}†</span>' in written
    assert f"{BOTH}." in written


@pytest.mark.parametrize("leaks", ["", "later tokens"])
def test_verdicts_say_which_arm_leaks(leaks: str) -> None:
    [verdict] = judge([CLAIM], runs(leaks, leaks), "full")
    assert verdict.to_json()["leaks"] == ({"sparse": leaks} if leaks else {})
