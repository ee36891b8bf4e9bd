"""The contract of every paper: what is claimed can be run, judged and found in its README."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from moebench.cli.explain import told
from moebench.cli.explain.case import Case
from moebench.cli.lookup import Kept
from moebench.cli.publish import (
    PICTURE,
    Published,
    figures_in,
    picture_of,
    with_results,
    with_tables,
)
from moebench.evidence import record_files
from moebench.evidence.record import FIRST_FRESH_SEED, RunRecord
from moebench.experiment import read_yaml
from moebench.papers import Target, left_out, target, targets
from moebench.papers.claim import JUDGED, KINDS, NOT_JUDGED, OF_CONTROLS, Claim, VerdictLabel
from moebench.papers.computed import import_function
from moebench.papers.plan import MATCHED_COST
from moebench.papers.settings import PRECISION
from moebench.report.paper.statements import MARKS
from moebench.sweeps.points import arm_of
from moebench.testing.verdicts import run
from moebench.verdict import Verdict
from moebench.verdict.paper import judge_paper
from moebench.verdict.remarks import Footnotes, remarks

ROOT = Path(__file__).parents[2]
SWEEPS = sorted((ROOT / "configs" / "sweeps").glob("*.yaml"))
PAPERS = pytest.mark.parametrize("found", targets(), ids=lambda one: one.name)
EVIDENCED = [one for one in targets() if one.evidence.exists()]
PUBLISHED = pytest.mark.parametrize("found", EVIDENCED, ids=lambda one: one.name)
DECIDED = (
    VerdictLabel.REPRODUCED,
    VerdictLabel.PARTIAL,
    VerdictLabel.NOT_REPRODUCED,
    VerdictLabel.PASSED,
    VerdictLabel.FAILED,
)


def plan_of(found: Target, claim: Claim) -> Target:
    """The target whose runs judge a claim."""
    return target(claim.runs_of) if claim.runs_of else found


def test_every_paper_loads() -> None:
    """So ids are unique, arms are known, tests are complete and controls are of their claims."""
    assert left_out() == {}
    keys = [claim.key for found in targets() for claim in found.claims]
    assert len(keys) == len(set(keys)) > 0


@PAPERS
def test_claims_say_where_they_stand_in_the_paper(found: Target) -> None:
    for claim in found.claims:
        assert claim.says, claim.key
        assert claim.source or not claim.of_paper, claim.key
        assert all(name and value not in (None, "") for name, value in claim.paper_values.items())
        json.dumps(claim.paper_values, allow_nan=False)


@PAPERS
def test_what_is_claimed_can_be_run(found: Target) -> None:
    """Every arm is run by a profile that judges claims; points of a grid are on it."""
    for claim in found.claims:
        owner = plan_of(found, claim)
        points = grid(owner)
        profiles = [one for one in owner.plan.profiles if one.name != "smoke"]
        for arm in claim.arms:
            assert any(owner.plan.runs(one, arm) for one in profiles), (claim.key, arm)
            assert arm in points.get(arm.partition("/")[0], {arm}), (claim.key, arm)


def grid(found: Target) -> dict[str, set[str]]:
    """Sweep -> its own name and those of its points, of the sweeps that try all points."""
    points = {}
    for sweep, file in found.plan.sweeps.items():
        content = read_yaml(found.configs / file)
        if content["sampler"] == "GridSampler":
            values = [dimension["values"] for dimension in content["space"].values()]
            all_points = (dict(enumerate(map(_number, point))) for point in product(*values))
            points[sweep] = {sweep, *(arm_of(sweep, point) for point in all_points)}
    return points


def _number(value: object) -> float | str:
    """A value of a grid, as a trial has it."""
    return float(value) if isinstance(value, int | float) else str(value)


@PAPERS
def test_profiles_run_what_the_plan_has(found: Target) -> None:
    plan = found.plan
    arms = {arm.name for arm in plan.arms}
    run = [arm for profile in plan.profiles for arm in profile.arms]
    assert set(run) <= arms
    assert not arms - set(run), "an arm that no profile runs"
    grouped = {arm.partition("/")[0] for group in plan.groups.values() for arm in group}
    assert grouped <= arms | set(plan.sweeps)
    for profile in plan.profiles:
        assert set(profile.computed or ()) <= set(plan.computed)
        assert set(profile.sweeps) <= set(plan.sweeps)
        assert {*profile.more_seeds, *profile.arm_settings} <= arms
    functions = [*plan.computed.values(), plan.drawings, plan.tables]
    assert all(callable(import_function(function)) for function in functions if function)


@PAPERS
def test_evidence_is_of_a_precision_that_every_machine_has(found: Target) -> None:
    """Runs of `full` come from several machines, of which some are slow at bfloat16."""
    for profile in found.plan.profiles:
        if profile.name == "full":
            assert PRECISION not in profile.settings


@PAPERS
def test_nothing_is_run_in_vain(found: Target) -> None:
    """All that a profile runs serves a claim that it judges, or the plan says what it is for."""
    plan = found.plan
    claims = [claim for one in targets() for claim in one.claims if plan_of(one, claim) is found]
    for profile in plan.profiles:
        if profile.name == "smoke":  # which judges nothing
            continue
        judged = [claim for claim in claims if all(plan.runs(profile, arm) for arm in claim.arms)]
        used = {name for claim in judged for arm in claim.arms for name in (arm, arm.split("/")[0])}
        vain = set(plan.whole(profile)) - used - set(plan.beside)
        assert not vain, (profile.name, "no claim of this profile is judged by them")
    served = {arm for claim in claims for arm in claim.arms}
    assert not set(plan.beside) & served, "a claim is judged by it after all"
    assert all(any(plan.runs(one, arm) for one in plan.profiles) for arm in plan.beside)


@PAPERS
def test_every_configuration_is_used(found: Target) -> None:
    folder = found.configs.resolve()
    sweeps = {(folder / file).resolve() for file in found.plan.sweeps.values()}
    used = {folder / name for arm in found.plan.arms for name in arm.configs}
    used |= {path for sweep in (*sweeps, *SWEEPS) for path in experiments_of(sweep)}
    assert all(path.is_file() for path in used | sweeps)
    assert not set(folder.glob("*.yaml")) - used - sweeps


def experiments_of(path: Path) -> Iterator[Path]:
    """The files that a sweep is over."""
    listed = read_yaml(path)["experiment"]
    for name in listed if isinstance(listed, list) else [listed]:
        yield (path.parent / name).resolve()


def judge(found: Target, runs: Sequence[RunRecord], profile: str, tmp_path: Path) -> list:
    """Judge by the same records whatever target a claim names."""
    return judge_paper(found, runs, profile, lambda name: tmp_path / "nowhere")


@PAPERS
def test_runs_that_all_diverged_decide_nothing(found: Target, tmp_path: Path) -> None:
    claims = [replace(claim, runs_of="") for claim in found.claims]
    arms = {arm for claim in claims for arm in claim.arms}
    lost = [run(arm, seed, status="diverged", metrics={}) for arm in arms for seed in range(2)]
    verdicts = judge(replace(found, claims=claims), lost, "full", tmp_path)
    words = {one.claim: one.verdict for one in verdicts}
    for claim in claims:
        open_ = VerdictLabel.UNDECIDED if claim.control_of else VerdictLabel.INCONCLUSIVE
        assert words[claim.key] is open_ or claim.test is None, claim.key


# By the committed records

read = cache(record_files.read)


@cache
def published(evidence: Path) -> Published:
    """The evidence of a paper, judged once whatever tables it is in."""
    [found] = [one for one in EVIDENCED if one.evidence == evidence]
    return Published(found, read(evidence))


def judged(found: Target) -> Sequence[Verdict]:
    """Return the published verdicts of a paper."""
    return published(found.evidence).verdicts


@PUBLISHED
def test_committed_evidence_is_of_a_large_profile_or_needs_no_training(found: Target) -> None:
    records = read(found.evidence)
    assert {record.profile for record in records} <= {"full", "gpu", "computed"}
    assert all(record.profile != "computed" or not record.steps for record in records)


@PUBLISHED
def test_seeds_that_trials_had_used_are_marked(found: Target) -> None:
    by_arm: dict[str, set[int]] = {}
    for record in read(found.evidence):
        by_arm.setdefault(record.arm, set()).add(record.seed)
    cautions = {one.claim: one.caution for one in published(found.evidence).verdicts}
    for claim in found.claims:
        if claim.trained and not claim.runs_of:
            seeds = set().union(*(by_arm.get(arm, ()) for arm in claim.arms))
            marked = "which trials may have used" in cautions[claim.key]
            # A claim that waits for its first run has no seeds, and so no mark.
            assert marked == (min(seeds, default=FIRST_FRESH_SEED) < FIRST_FRESH_SEED), claim.key


@PUBLISHED
def test_words_follow_from_the_numbers_beside_them(found: Target) -> None:
    for verdict in published(found.evidence).verdicts:
        if verdict.verdict not in (*JUDGED, *OF_CONTROLS):
            assert verdict.effect is None
            continue
        check_numbers(verdict)


def check_numbers(verdict: Verdict) -> None:
    """See that a verdict can be read from its own row."""
    told = verdict.claim
    low = -math.inf if verdict.low is None else verdict.low
    high = math.inf if verdict.high is None else verdict.high
    if verdict.effect is not None:
        slack = 1e-9 * abs(verdict.effect)
        assert low - slack <= verdict.effect <= high + slack, told
    if verdict.verdict not in DECIDED:
        return
    assert verdict.effect is not None, told
    if verdict.p is not None:
        assert verdict.n > 1, told
        assert verdict.p <= 0.05, told
        assert verdict.p_adjusted is None or verdict.p_adjusted <= 0.05, told
        assert math.isfinite(low) or math.isfinite(high), told
    if verdict.verdict is not VerdictLabel.INCONCLUSIVE:
        assert "control failed" not in " ".join(verdict.controls.values()), told


@PUBLISHED
def test_a_claim_from_training_tells_of_both_controls_in_its_row(found: Target) -> None:
    for claim, verdict in zip(found.claims, judged(found), strict=True):
        if claim.trained and claim.test and not claim.control_of:
            row = "; ".join(remarks(verdict, Footnotes()))
            for kind in KINDS.values():
                assert f"{kind} control" in row or "no control [" in row, claim.key


@PUBLISHED
def test_what_arms_are_called_equal_in_was_measured(found: Target) -> None:
    for claim, verdict in zip(found.claims, judged(found), strict=True):
        cost = MATCHED_COST.get(claim.matched_on or "")
        if cost and claim.test and verdict.effect is not None:
            for arm in {arm for pair in claim.test.pairs for arm in pair}:
                assert verdict.costs[arm].get(cost), (claim.key, arm)


@PUBLISHED
def test_the_tables_of_a_paper_are_up_to_date(found: Target) -> None:
    text = found.evidence.with_name("README.md").read_text()
    assert with_tables(text, published(found.evidence)) == text, "python -m moebench.cli.publish"


@PUBLISHED
def test_the_figures_of_a_paper_are_up_to_date(found: Target) -> None:
    drawn = {figure.name: figure.svg for figure in published(found.evidence).figures}
    kept = {path.name: path.read_text() for path in figures_in(found.evidence.parent)}
    assert kept == drawn, "python -m moebench.cli.publish"
    page = found.evidence.with_name("README.md").read_text()
    assert set(re.findall(r'<img src="(figure_[^"]*)"', page)) == set(drawn)


@PUBLISHED
def test_every_effect_with_an_interval_is_drawn_once(found: Target) -> None:
    texts = [path.read_text() for path in figures_in(found.evidence.parent)]
    for verdict in judged(found):
        sure = None not in (verdict.low, verdict.high) and verdict.low != verdict.high
        rows = sum(text.count(f">{verdict.claim}: ") for text in texts)
        assert rows == sure, verdict.claim


@PUBLISHED
@pytest.mark.parametrize("width", [80, 120])
def test_every_claim_is_explained_in_a_few_pages(
    found: Target, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As wide as the terminal is, without slivers of text, and no table without an end."""
    monkeypatch.setenv("COLUMNS", str(width))
    verdicts = {verdict.claim: verdict for verdict in published(found.evidence).verdicts}
    for claim in found.claims:
        runs = plan_of(found, claim)
        if not runs.evidence.exists():  # of another paper; the command says that there are no runs
            assert claim.runs_of, claim.key
            continue
        kept = Kept(read(runs.evidence), runs.evidence, published(runs.evidence).profile)
        case = Case(found, claim, verdicts, runs, kept)
        text = told(case)
        lines = text.splitlines()
        assert len(lines) < 180, (claim.key, len(lines))
        waits = verdicts[claim.key].verdict in NOT_JUDGED  # without a number to make again
        assert waits or "to make one of these numbers again" in text, claim.key
        for line in lines:
            single = len(line.split()) < 2 + line.startswith("  moebench ")
            assert len(line) <= width or single, (claim.key, line)
        assert not slivers(lines), claim.key


def slivers(lines: Sequence[str]) -> list[str]:
    """Lines of text that stand in a narrow column: far to the right, and three and more of them."""
    narrow = [line for line in lines if len(line) - len(line.lstrip()) > 60]
    return narrow if len(narrow) > 2 else []


def test_the_tables_of_the_front_page_are_up_to_date() -> None:
    text = (ROOT / "README.md").read_text()
    evidence = [published(found.evidence) for found in EVIDENCED]
    assert with_results(text, evidence) == text, "python -m moebench.cli.publish"


def test_the_front_page_counts_every_statement_once() -> None:
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if "](repro" in line]
    assert len(rows) == len(EVIDENCED)
    for found, row in zip(EVIDENCED, rows, strict=True):
        name, *words = row.split("|")[2:-1]
        assert name.strip() == f"`{found.name}`"
        assert sum(map(int, words)) == sum(claim.of_paper for claim in found.claims)


def test_the_picture_of_the_front_page_has_every_statement_once() -> None:
    evidence = [published(found.evidence) for found in EVIDENCED]
    drawn = (ROOT / PICTURE).read_text()
    assert picture_of(evidence) == drawn, "python -m moebench.cli.publish"
    marks = len(re.findall("<use", drawn)) - len(MARKS)  # without those of the legend
    assert marks == sum(claim.of_paper for found in EVIDENCED for claim in found.claims)


JUDGE_ALL = """
import sys, time
class NoTorch:
    def find_spec(self, name, *_):
        if name.partition(".")[0] == "torch":
            raise ImportError("torch is not needed for this")
sys.meta_path.insert(0, NoTorch())
started = time.process_time()
from moebench.verdict.paper import judge_paper
from moebench.evidence.record_files import read
from moebench.papers import left_out
from moebench.papers import targets
from moebench.papers import target
assert not left_out(), left_out()
for found in targets():
    if found.evidence.exists():
        records = read(found.evidence)
        profile = records[0].profile
        verdicts = judge_paper(found, records, profile, lambda name: target(name).evidence)
        assert len(verdicts) == len(found.claims)
print(time.process_time() - started)
"""


def test_judging_all_papers_needs_no_torch_and_under_20_seconds() -> None:
    done = run_program(JUDGE_ALL, ROOT)
    assert float(done.split()[-1]) < 20


def run_program(program: str, *paths: Path) -> str:
    """Run a program that finds packages in these folders first; return what it prints."""
    found = os.pathsep.join([*map(str, paths), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=paths[0],
        env={**os.environ, "PYTHONPATH": found},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
