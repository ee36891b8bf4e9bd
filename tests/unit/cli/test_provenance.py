"""Published figures that were made from older data than today's say that they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from moebench.cli.judging import judge_and_report
from moebench.cli.part_sources import part_of
from moebench.cli.provenance import configs_of, outdated, version_of
from moebench.cli.publish import Published, publish, with_tables
from moebench.cli.terminal import shown
from moebench.data.text import Text
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import write_all
from moebench.papers import Target
from moebench.papers.claim import Claim, Paper
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.yaml_files import data_named
from moebench.report import render
from moebench.testing import verdicts as claims
from moebench.verdict.comparisons import Difference

CONFIGS = Path(__file__).parents[2] / "configs" / "tiny_2026"


@pytest.fixture
def found(tmp_path: Path) -> Target:
    """A paper with arms of text and of a world, and a sweep over each."""
    (tmp_path / "text.yaml").write_text((CONFIGS / "switch_8.yaml").read_text())
    (tmp_path / "world.yaml").write_text((CONFIGS / "recall.yaml").read_text())
    (tmp_path / "sweep_text.yaml").write_text("experiment: text.yaml\n")
    (tmp_path / "sweep_world.yaml").write_text("experiment: [text.yaml, world.yaml]\n")
    plan = Plan(
        [Arm("text", ["text.yaml"]), Arm("world", ["text.yaml", "world.yaml"])],
        [Profile("full", ["text", "world"], 1, {})],
        {},
        sweeps={f"over_{name}": f"sweep_{name}.yaml" for name in ("text", "world")},
    )
    claim = Claim(
        **{"key": "X-1", "says": "", "source": "", "paper_values": {}, "matched_on": None},
        test=Difference(first="text", second="world"),
        uncontrolled="A test.",
        same_data=(("text",), ("world",)),
    )
    paper = Paper(key="p", title="A paper", authors="", year=2021, arxiv="")
    return Target(paper, [claim], plan, tmp_path, tmp_path / "results.jsonl")


def run(arm: str, version: int = 1, **more: str) -> RunRecord:
    return claims.run(arm, data_hash=arm, data_version=version, **more)


def test_arms_and_points_of_sweeps_have_their_configurations(found: Target) -> None:
    assert configs_of(found, "text") == configs_of(found, "over_text/0.1")
    both = (found.configs / "text.yaml", found.configs / "world.yaml")
    assert configs_of(found, "world") == configs_of(found, "over_world/1,2") == both
    assert configs_of(found, "computed") == ()


def test_the_last_file_that_names_data_counts(tmp_path: Path) -> None:
    texts = {"none": "model: {}\n", "short": "data: Text\n", "whole": "data: {class_path: a.B}\n"}
    for name, text in {**texts, "settings": "data: {init_args: {length: 8}}\n"}.items():
        (tmp_path / name).write_text(text)

    def named(*names: str) -> str:
        return data_named([tmp_path / name for name in names])

    assert (named("none"), named("settings")) == ("", "")
    assert named("whole", "short", "settings", "none") == "Text"
    assert named("short", "whole") == "a.B"


def test_evidence_of_today_says_nothing(found: Target) -> None:
    assert outdated(found, [run("text", Text.version), run("world")]) == ""


def test_evidence_of_an_older_text_says_so(found: Target) -> None:
    """Some arms are of text, others of a world, which has no new version."""
    runs = [run("text", Text.version - 1), run("over_text/1", Text.version), run("world")]
    told = outdated(found, runs)
    assert told == (
        f"1 of 3 runs used version {Text.version - 1} of the data `Text`, which are now at"
        f" version {Text.version}: this evidence is out of date."
    )
    assert told in Published(found, runs).origin
    assert outdated(found, [run("over_world/0.1")]) == ""
    assert "Text" in outdated(found, [run("over_text/1,2", Text.version - 1)])


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        ([], "results.jsonl: no records"),
        ([run("text", target="p", profile="smoke")], "has to hold runs of p full, and only those"),
        ([run("text", target="q")], "has to hold runs of p full, and only those"),
    ],
)
def test_what_is_not_of_the_profile_replaces_no_evidence(
    kept: list[RunRecord], why: str, found: Target, tmp_path: Path
) -> None:
    write_all([run("text")], found.evidence)
    before = found.evidence.read_text()
    folder = tmp_path / "runs" / "p" / "full"
    folder.mkdir(parents=True)
    write_all(kept, folder / "results.jsonl")
    with pytest.raises((ValueError, FileNotFoundError), match=why):
        publish(found, folder)
    assert found.evidence.read_text() == before


def test_a_terminal_reports_mixed_runs_that_judge_no_claim(found: Target, tmp_path: Path) -> None:
    records = [run("text", Text.version), replace(run("text", Text.version - 1), seed=1)]
    write_all(records, tmp_path / "results.jsonl")
    told = f"text: its seeds used versions {Text.version - 1}, {Text.version} of the data"
    assert f"Mixed evidence: {told}." in " ".join(shown(found, tmp_path, []).split())


def test_a_version_is_read_as_python_has_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_data.py").write_text(
        "from moebench.data.text import Text\nclass Same(Text): ...\n"
        "class New(Text):\n    version: int = 7\nclass Plain: ...\n"
    )
    for name, version in {"Same": Text.version, "New": 7, "Plain": 1}.items():
        part = part_of(name, "own_data")
        assert part is not None
        assert version_of(part) == version


def test_tables_and_page_tell(found: Target, tmp_path: Path) -> None:
    records = [run("text", Text.version - 1), run("world")]
    told = f"which are now at version {Text.version}"
    names = ("verdicts", "figures", "reasons", "costs")
    text = "\n".join(f"<!-- begin:{name} -->\n<!-- end:{name} -->" for name in names)
    assert told in with_tables(text, Published(found, records))
    folder = tmp_path / "runs" / "p" / "full"
    folder.mkdir(parents=True)
    write_all(records, folder / "results.jsonl")
    verdicts = judge_and_report(found, found.plan.profile("full"), folder)
    assert told in " ".join(shown(found, folder, verdicts).split())
    assert told in (folder / "report.html").read_text()
    assert 'class="notice"' not in render(folder, found.paper, [], [], {})
