"""A paper of somebody new touches two folders, and is found, planned, run, judged and published."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from moebench.cli.recipes import write
from moebench.evidence.record_files import read

ROOT = Path(__file__).parents[2]
PAPER, CONFIGS = "reproductions/trial_2026", "configs/trial_2026"
JUDGING = '''
from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import paired_ratio
from moebench.verdict.claimed import times
from moebench.verdict.conditions import judged
from moebench.verdict.paired_runs import Evidence
from moebench.verdict.findings import Findings


@dataclass(frozen=True, kw_only=True)
class Louder(ClaimTest):
    """An arm is so many times as loud as another."""

    loud: str
    quiet: str
    times: float

    @property
    def arms(self) -> tuple[str, ...]:
        return self.loud, self.quiet

    def judge(self, evidence: Evidence) -> Findings:
        a, b = evidence.paired(self.metric, *self.arms)
        says = f"{self.loud} is {self.times:g} times as loud as {self.quiet}"
        return Findings(judged(says, paired_ratio(a, b), times(self.times), "ratio"))
'''
ROUTER = '''
from torch import Tensor

from moebench.moe import RoutingDecision, Sees
from moebench.moe.routers import Switch


class Coldest(Switch):
    """Sends each token to the expert with the lowest score."""

    sees = Sees.TOKEN

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        return super().forward(-x_TD)
'''
ARITHMETIC = """
def arithmetic():
    return {"share": 1 / 8}
"""
SECOND = """
from moebench.verdict.exact import Exact

CLAIMS.append(
    Claim(
        key="trial_2026-02",
        says="Each token visits one of eight experts",
        source="section 2",
        paper_values={"share": 0.125},
        test=Exact(arm="arithmetic", equals={"share": 0.125}),
        matched_on=None,
        level="arithmetic",
    )
)
"""
CHANGES = {  # of what `moebench new` writes: own test, router and function, short runs
    f"{PAPER}/paper.py": {
        "moebench.verdict.comparisons import Difference": f"{PAPER}.judging import Louder",
        'Difference(first="mixture", second="dense", margin=0.01)': (
            'Louder(loud="mixture", quiet="dense", times=1.001)'
        ),
    },
    f"{PAPER}/plan.py": {
        "seeds=5, settings=steps(2000, validations=10)": "2, settings=SMOKE",
        "    profiles=[": (
            f'    computed={{"arithmetic": "{PAPER}.arithmetic:arithmetic"}},\n    profiles=['
        ),
    },
    f"{CONFIGS}/mixture.yaml": {
        "class_path: Switch": f"class_path: {PAPER}.router.Coldest",
        "batch_size: 64": "batch_size: 8",
    },
}
PROGRAM = """
from pathlib import Path

from moebench.cli.main import main

run = ["trial_2026", "--profile", "full", "--root", "runs"]
assert main(["list"]) == 0
assert main(["reproduce", *run, "--no-mlflow", "--workers", "1"]) == 0
assert main(["publish", *run]) == 0
pages = [Path("README.md"), Path("reproductions/trial_2026/README.md")]
before = [page.read_text() for page in pages]
assert main(["publish", *run]) == 0
assert [page.read_text() for page in pages] == before, "twice changes nothing"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout without any paper but the new one."""
    written = write("paper", "trial_2026", tmp_path)
    assert {path.parent for path in written} == {Path("reproductions"), Path(PAPER), Path(CONFIGS)}
    (tmp_path / PAPER / "judging.py").write_text(JUDGING)
    (tmp_path / PAPER / "router.py").write_text(ROUTER)
    (tmp_path / PAPER / "arithmetic.py").write_text(ARITHMETIC)
    for name, changes in CHANGES.items():
        text = (tmp_path / name).read_text()
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new.replace("/", "."))
        (tmp_path / name).write_text(text)
    with (tmp_path / PAPER / "paper.py").open("a") as file:
        file.write(SECOND)
    front = "# Results\n<!-- begin:results -->\n<!-- end:results -->\n"
    (tmp_path / "README.md").write_text(front)
    (tmp_path / PAPER / "figure_effects_former.svg").write_text("nobody judges that any more")
    (tmp_path / PAPER / "figure_mine.svg").write_text("drawn by somebody")
    return tmp_path


def test_a_new_paper_is_two_folders(checkout: Path) -> None:
    paths = os.pathsep.join([str(checkout), str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    assert "make reproduce-trial_2026 PROFILE={smoke, quick, full}" in printed

    folder = checkout / "runs" / "trial_2026" / "full"
    first, second = json.loads((folder / "verdicts.json").read_text())
    assert first["why"].startswith("mixture is 1.001 times as loud as dense: ")
    assert (first["n"], second["verdict"], second["effect"]) == (2, "reproduced", 0.125)
    code = {one.arm: one.code for one in read(folder / "results.jsonl")}
    assert "reproductions.trial_2026.router" in code["mixture"]
    assert first["claim"] in (folder / "report.html").read_text()

    page = (checkout / PAPER / "README.md").read_text()
    assert f"| {second['claim']} | ● reproduced | " in page.replace("\\", "")
    figures = {path.name: path.read_text() for path in (checkout / PAPER).glob("*.svg")}
    assert set(figures) == {"figure_effects_ratio.svg", "figure_load.svg", "figure_mine.svg"}
    del figures["figure_mine.svg"]  # which publishing leaves alone
    assert f">{first['claim']}: " in figures["figure_effects_ratio.svg"]
    assert ">mixture</text>" in figures["figure_load.svg"]
    assert all(f'<img src="{name}"' in page for name in figures)
    assert f"]({PAPER}/README.md) | `trial" in (checkout / "README.md").read_text()
    assert "trial 2026" in (checkout / "docs" / "verdicts.svg").read_text().replace("_", " ")
    assert len(read(checkout / PAPER / "results.jsonl")) == 5
