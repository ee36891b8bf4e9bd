"""A paper of somebody new touches two folders, and is found, planned, run, judged and published."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from moebench.evidence.record_files import read

ROOT = Path(__file__).parents[2]
PAPER = """
from moebench.papers.claim import Claim, Paper
from moebench.verdict.exact import Exact
from reproductions.trial_2026.judging import Louder

PAPER = Paper(
    key="trial_2026", name="trial", title="On Trial", authors="Nobody", year=2026, arxiv=""
)
CLAIMS = [
    Claim(
        key="T26-01",
        says="The coldest expert makes more noise",
        source="Table 1",
        paper_values={"coldest": 2.0, "warmest": 1.0},
        test=Louder(loud="coldest", quiet="warmest", times=1.001),
        matched_on="active_flops",
        seeds=2,
        uncontrolled="Nobody thought of one.",
    ),
    Claim(
        key="T26-02",
        says="Two and two are four",
        source="equation 1",
        paper_values={"sum": 4},
        test=Exact(arm="sums", equals={"sum": 4.0}),
        matched_on=None,
        level="arithmetic",
    ),
]
"""
PLAN = """
from moebench.papers.plan import Arm, Plan, Profile

SHORT = {
    "trainer.max_steps": 2,
    "trainer.val_check_interval": 1,
    "trainer.log_every_n_steps": 1,
    "trainer.accelerator": "cpu",
}
PLAN = Plan(
    [Arm("coldest", ["base.yaml", "coldest.yaml"]), Arm("warmest", ["base.yaml"])],
    [Profile("full", ["coldest", "warmest"], 2, SHORT)],
    {"Both": ["coldest", "warmest"]},
    computed={"sums": "reproductions.trial_2026.judging:sums"},
)
"""
JUDGING = '''
from dataclasses import dataclass

from moebench.papers.claim import ClaimTest
from moebench.statistics.estimates import paired_ratio
from moebench.verdict.conditions import judged, times
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


def sums() -> dict[str, float]:
    return {"sum": 2.0 + 2.0}
'''
ROUTER = '''
from torch import Tensor, nn

from moebench.moe import RoutingDecision, Sees, tokens_choose
from moebench.moe.routers import Score


class Coldest(nn.Module):
    """Sends each token to the expert with the lowest score."""

    sees = Sees.TOKEN

    def __init__(self, dim: int, num_experts: int) -> None:
        super().__init__()
        self.num_experts = num_experts
        self.score = Score(dim, num_experts)

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        logits_TE = -self.score(x_TD)
        probs_TE = logits_TE.softmax(dim=-1)
        weight_T, expert_T = probs_TE.max(dim=-1)
        return tokens_choose(logits_TE, probs_TE, expert_T[:, None], weight_T[:, None])
'''
BASE = """# A mixture of four experts in a world of single tokens.
model:
  network:
    class_path: Decoder
    init_args:
      shape: {width: 16, hidden: 32, layers: 2, heads: 2}
      sparse:
        router: {class_path: TopK, init_args: {num_experts: 4, k: 1}}
        experts: {class_path: ReluMLP, init_args: {hidden: 32}}
data:
  class_path: Synthetic
  init_args:
    world: {class_path: Uniform, init_args: {size: 32}}
    vocabulary: 64
    length: 8
    batch_size: 4
    valid_batches: 1
"""
COLDEST = """# The router of this paper.
model:
  network:
    init_args:
      sparse:
        router: {class_path: reproductions.trial_2026.router.Coldest, init_args: {num_experts: 4}}
"""
BLOCKS = "\n".join(
    f"<!-- begin:{name} -->\n<!-- end:{name} -->" for name in ("verdicts", "reasons", "costs")
)
FILES = {
    "reproductions/trial_2026/__init__.py": '"""On Trial."""\n',
    "reproductions/trial_2026/paper.py": PAPER,
    "reproductions/trial_2026/plan.py": PLAN,
    "reproductions/trial_2026/judging.py": JUDGING,
    "reproductions/trial_2026/router.py": ROUTER,
    "reproductions/trial_2026/README.md": f"# On Trial\n\n{BLOCKS}\n",
    "configs/trial_2026/base.yaml": BASE,
    "configs/trial_2026/coldest.yaml": COLDEST,
}
PROGRAM = """
from pathlib import Path

from moebench.cli.main import main

run = ["trial", "--profile", "full", "--root", "runs"]
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
    (tmp_path / "reproductions").mkdir()
    (tmp_path / "reproductions" / "__init__.py").touch()
    front = "# Results\n<!-- begin:results -->\n<!-- end:results -->\n"
    (tmp_path / "README.md").write_text(front)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_new_paper_is_two_folders(checkout: Path) -> None:
    assert {name.split("/")[1] for name in FILES} == {"trial_2026"}
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
    assert "make reproduce-trial PROFILE={full}" in printed

    folder = checkout / "runs" / "trial_2026" / "full"
    first, second = json.loads((folder / "verdicts.json").read_text())
    assert first["why"].startswith("coldest is 1.001 times as loud as warmest: ")
    assert (first["n"], first["uncontrolled"]) == (2, "Nobody thought of one.")
    assert (second["verdict"], second["effect"]) == ("reproduced", 4.0)
    code = {one.arm: one.code for one in read(folder / "results.jsonl")}
    assert "reproductions.trial_2026.router" in code["coldest"]
    assert "T26-01" in (folder / "report.html").read_text()

    page = (checkout / "reproductions" / "trial_2026" / "README.md").read_text()
    assert "| T26-02 | ● reproduced | Two and two are four | equation 1; sum 4 |" in page
    front = (checkout / "README.md").read_text()
    assert "| [On Trial (2026)](reproductions/trial_2026/README.md) | `trial` | 1 | 0 |" in front
    assert "trial 2026" in (checkout / "docs" / "verdicts.svg").read_text()
    assert len(read(checkout / "reproductions" / "trial_2026" / "results.jsonl")) == 5
