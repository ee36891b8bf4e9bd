"""Papers are discovered, and errors are reported in one line before anything is trained."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import reproductions
from moebench.cli.listing import listing
from moebench.cli.publish import with_results
from moebench.papers import folder_of, left_out, target, targets
from moebench.papers.registry import claims_on

PAPER = """
from moebench.papers.claim import Claim, Paper
from moebench.verdict.comparisons import Difference

PAPER = Paper(key="{key}", name="{name}", title="Of {key}", authors="", year={year}, arxiv="")
CLAIMS = [
    Claim(
        key="{claim}",
        says="a beats b",
        source="",
        paper_values={{}},
        test=Difference(first="a", second="{second}", margin=0.1),
        matched_on=None,
        uncontrolled="A test.",
        runs_of="{runs_of}",
    )
]
"""
PLAN = """
from moebench.papers.plan import Arm, Plan, Profile

PLAN = Plan([Arm("a", []), Arm("b", [])], [Profile("full", ["a", "b"], 3, {})], {})
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a paper into an otherwise empty folder of reproductions, and forgets it at the end."""
    root = tmp_path / "reproductions"
    root.mkdir()
    monkeypatch.setattr(reproductions, "__path__", [str(root)])

    def written(folder: str, text: str = PAPER, **changes: object) -> Path:
        given = {"key": folder, "name": folder[:-5], "year": folder[-4:], "second": "b"}
        given |= {"claim": f"{folder}-1", "runs_of": ""}
        (root / folder).mkdir()
        (root / folder / "__init__.py").touch()
        (root / folder / "paper.py").write_text(text.format(**{**given, **changes}))
        (root / folder / "plan.py").write_text(PLAN)
        forget(folder)
        return root / folder

    yield written
    for made in root.iterdir():
        forget(made.name)


def forget(folder: str) -> None:
    """Drop the modules of a paper, which a paper of that name in another test would get."""
    for name in [name for name in sys.modules if name.startswith(f"reproductions.{folder}")]:
        del sys.modules[name]


def test_papers_are_found_in_the_order_of_their_years(write: Write, tmp_path: Path) -> None:
    for key in ("late_2024", "early_1991", "also_2024"):
        write(key)
    (tmp_path / "reproductions" / "no_paper").mkdir()
    assert [one.folder for one in targets()] == ["early_1991", "also_2024", "late_2024"]
    assert left_out() == {}
    found = target("late")
    assert found is target("late_2024"), "by its folder, too"
    assert found.configs == tmp_path / "configs" / "late_2024"
    assert found.evidence == tmp_path / "reproductions" / "late_2024" / "results.jsonl"
    assert (folder_of("late"), folder_of("sweeps")) == ("late_2024", "sweeps")


def test_a_paper_without_a_short_name_has_that_of_its_folder(write: Write) -> None:
    write("late_2024", name="")
    assert target("late_2024").name == "late_2024"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("1 +", "SyntaxError: invalid syntax (paper.py, line 1)"),
        ("CLAIMS = []", "AttributeError: module 'reproductions.bad_2000.paper' has no attribute"),
        (PAPER.replace('second="{second}"', "secnd=3"), "TypeError: Difference.__init__() got an"),
        (PAPER.replace("margin=0.1", "margin=-1"), "margin=-1: must be at least 0"),
        (
            PAPER.replace("arxiv=", 'headline="bad_2000-2", arxiv='),
            "PAPER.headline=bad_2000-2: no claim of the paper; the nearest: bad_2000-1",
        ),
    ],
)
def test_a_folder_that_does_not_load_is_named_and_the_others_work(
    text: str, why: str, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    write("good_1999")
    write("bad_2000", text)
    with caplog.at_level(logging.WARNING):
        assert [one.name for one in targets()] == ["good"]
        assert [one.name for one in targets()] == ["good"]
    [line] = caplog.messages
    assert line.startswith(f"reproductions/bad_2000 is left out: {why}")
    assert f"left out: reproductions/bad_2000: {why}" in listing()
    with pytest.raises(ValueError, match="target=bad: unknown; one of good; bad_2000 is left out"):
        target("bad")
    with pytest.raises(ValueError, match="no results without every paper: bad_2000 does not load"):
        with_results("", [])


def test_a_paper_without_a_plan_is_named(write: Write) -> None:
    (write("bad_2000") / "plan.py").unlink()
    assert left_out()["bad_2000"].startswith("ModuleNotFoundError: No module named 'reproductions")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"claim": "first_1999-1"}, "claim first_1999-1: a claim of first_1999 has the same id"),
        ({"name": "first"}, "PAPER.name=first: first_1999 has the same name"),
        ({"key": "other"}, "PAPER.key=other: must equal the name of the folder"),
        (
            {"second": "bb"},
            "claim late_2024-1: arm=bb: not in the plan; the nearest: b",
        ),
        ({"runs_of": "nobody"}, "runs_of=nobody: unknown target; one of first, late"),
        (
            {"runs_of": "first", "second": "c"},
            "arm=c: not in the plan",
        ),
    ],
)
def test_conflicting_papers_are_refused(changes: dict[str, str], why: str, write: Write) -> None:
    write("first_1999")
    write("late_2024", **changes)
    assert [one.folder for one in targets()] == ["first_1999"]
    assert why in left_out()["late_2024"]


def test_runs_of_another_paper_judge_a_claim(write: Write) -> None:
    write("first_1999")
    write("late_2024", runs_of="first")
    first, late = targets()
    assert claims_on(first, "a") == {"first_1999-1": 1, "late_2024-1": 1}
    assert claims_on(late, "a") == claims_on(first, "c") == {}


def test_runs_of_a_paper_that_does_not_load_are_only_lacking(write: Write) -> None:
    write("first_1999", "1 +")
    write("late_2024", runs_of="first")
    assert [one.name for one in targets()] == ["late"]
    assert list(left_out()) == ["first_1999"]


DISPUTES = (
    PAPER
    + """
from dataclasses import replace
from moebench.papers.dispute import Dispute, Side

CLAIMS = [replace(CLAIMS[0], key=key, ours=True) for key in ("{claim}", "{claim}b")]
A, B = Side(says="a", source="", claims=("{known}",)), Side(says="b", source="")
CELLS = {{"at 1": "{claim}", "at 2": "{cell}"}}
DISPUTES = [Dispute(question="a or b?", sides={sides}, hinge="size", cells=CELLS)]
"""
)
FINE = {"known": "mine_2026-1", "cell": "mine_2026-1b", "sides": "(A, B)"}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"known": "NO-1"}, "claim=NO-1: unknown in all papers"),
        ({"cell": "NO-1"}, "=NO-1: no claim of this folder"),
        ({"sides": "(A,)"}, "sides=1: must be two"),
    ],
)
def test_disputes_are_discovered_or_refused_in_one_line(
    write: Write, changes: dict[str, str], why: str
) -> None:
    write("other_2025")
    write("mine_2026", DISPUTES, **{**FINE, **changes})
    assert [one.name for one in targets()] == ["other"]
    assert why in left_out()["mine_2026"]
    assert "\n" not in left_out()["mine_2026"]


def test_a_list_has_disputes_with_their_sides(write: Write) -> None:
    write("mine_2026", DISPUTES, **FINE)
    [found] = targets()
    assert [one.question for one in found.disputes] == ["a or b?"]
    assert "  disputed: a or b?\n    A: " in listing()
