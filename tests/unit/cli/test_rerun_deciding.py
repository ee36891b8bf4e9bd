"""Which numbers of a run decide whether a rerun is the same: those that tests read."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from moebench.cli.rerun.deciding import deciding
from moebench.papers import Target
from moebench.papers.claim import ClaimTest, Paper
from moebench.papers.plan import Arm, Plan
from moebench.testing import verdicts
from moebench.verdict.conditions import unknown
from moebench.verdict.findings import Findings
from moebench.verdict.paired_runs import Evidence


@dataclass(frozen=True, kw_only=True)
class Reads(ClaimTest):
    """Looks at some metrics of one arm; their names are in no field by themselves."""

    steps: tuple[int, ...] = ()
    name: str = "valid/loss@{}"

    @property
    def arms(self) -> tuple[str, ...]:
        return ("a",)

    def judge(self, evidence: Evidence) -> Findings:
        for step in self.steps:
            evidence.values(self.name.format(step), "a")
        return Findings(unknown("nothing", "", ""))


CURVE = {f"valid/loss@{step}": 1.0 for step in (0, 5, 10, 15)} | {
    "valid/loss": 1.0,
    "step_5/x": 2.0,
}


@pytest.mark.parametrize(
    ("test", "names"),
    [
        (Reads(steps=(5,)), {"valid/loss", "valid/loss@5"}),
        (Reads(steps=(5, 10, 15)), {"valid/loss"}),
        (Reads(steps=(5, 6), name="step_{}/x"), {"valid/loss", "step_5/x"}),
        (Reads(metric="valid/loss@10"), {"valid/loss", "valid/loss@10"}),
    ],
)
def test_what_decides_is_what_tests_read(test: ClaimTest, names: set[str]) -> None:
    """A curve as a whole is the metric that it is of; a validation before training is no part."""
    paper = Paper(key="x", title="", authors="", year=2020, arxiv="")
    plan = Plan([Arm("a", [])], [], {})
    found = Target(paper, [verdicts.claim_of(test)], plan, Path(), Path())
    records = [verdicts.run("a", seed, 1.0, metrics=CURVE) for seed in range(3)]
    assert deciding(found, records, records[0]) == names
