"""From runs to committed evidence: records into the reproduction's folder, tables into READMEs.

No number in a README is typed; `tests/contract/test_papers.py` makes tables and figures again and
compares.
The front README counts the verdicts of every paper, beside a picture of them; where it has a block
`first verdicts of <target>`, that is how the output of `make reproduce-<target>` begins.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from moebench.cli.lookup import results_in
from moebench.cli.provenance import outdated
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, write_all
from moebench.papers import Target, left_out, target, targets
from moebench.papers.home import HOME, INSTALLED
from moebench.papers.plan import COMPUTED_ONLY
from moebench.report import (
    FigureFile,
    fill,
    markdown_costs,
    markdown_counts,
    markdown_disputes,
    markdown_figures,
    markdown_paper_table,
    markdown_reasons,
    markdown_story,
    markdown_table,
    page_figures,
    picture,
    told_counts,
)
from moebench.report.paper.own_tables import tables_of
from moebench.report.paper.story import story
from moebench.report.paper.verdict_table import beginning
from moebench.verdict import Verdict
from moebench.verdict.mixed_evidence import mixed_claims
from moebench.verdict.paper import judge_paper

README = "README.md"
PICTURE = "docs/verdicts.svg"  # beside the front README
DRAWN = ("figure_effects_*.svg", "figure_load.svg")  # beside the page of a paper
RESULTS = "<!-- begin:results -->"  # in the front README
OUTPUT = re.compile(r"<!-- begin:(first verdicts of (\S+)) -->")
ROWS, COLUMNS = 2, 110  # of that output


@dataclass(frozen=True)
class Published:
    """The committed records of a target, read and judged once for all pages that show them."""

    found: Target
    records: list[RunRecord]

    @cached_property
    def profile(self) -> str:
        """The one profile that the records come from; ValueError if there are several."""
        profiles = {record.profile for record in self.records}
        if len(profiles) != 1:
            raise ValueError(f"evidence is of one profile, not of {', '.join(sorted(profiles))}")
        return profiles.pop()

    @cached_property
    def verdicts(self) -> list[Verdict]:
        """The verdicts, by evidence of other targets, too, where a claim names one."""
        return judge_paper(
            self.found, self.records, self.profile, lambda name: target(name).evidence
        )

    @cached_property
    def trained(self) -> list[RunRecord]:
        """The records of training; a paper may have computed results alone."""
        return [record for record in self.records if record.steps]

    @cached_property
    def figures(self) -> list[FigureFile]:
        """The figures beside the page."""
        return page_figures(self.verdicts, self.records, self.found.plan.groups)

    @cached_property
    def origin(self) -> str:
        """A sentence on where the records come from, and one if their data are out of date."""
        runs, some = len(self.trained), self.trained or self.records
        machines = sorted({str(record.hardware.get("processor", "?")) for record in some})
        hours = sum(record.seconds for record in self.trained) / 3600
        made = f"{runs} runs, {hours:.1f} hours of training" if runs else "computed"
        scale = "" if self.profile == COMPUTED_ONLY.name else "; at this scale, no more"
        told = f"Profile `{self.profile}`: {made} on {', '.join(machines)}{scale}."
        return f"{told} **{self.older}**" if self.older else told

    @property
    def needs_runs(self) -> bool:
        """Whether nothing has been trained for it yet, though its claims ask for it."""
        trained = any(claim.trained for claim in self.found.claims)
        return trained and self.profile == COMPUTED_ONLY.name

    @cached_property
    def older(self) -> str:
        """A sentence on records of older data, empty where there are none."""
        return outdated(self.found, self.records)


def committed() -> list[Published]:
    """Return the evidence of every target that has some."""
    return [Published(one, read(one.evidence)) for one in targets() if one.evidence.exists()]


def publish(found: Target, runs: Path) -> Path:
    """Commit the records of a profile as the evidence of a target and fill in its tables.

    Args:
        found: the target.
        runs: folder of the profile, with `results.jsonl`.

    Raises:
        FileNotFoundError: if there are no records.
        ValueError: if they are mixed or not of this profile, or the target is one of an installed
            moebench.
    """
    if INSTALLED and found.evidence.is_relative_to(HOME):
        raise ValueError(
            f"{found.name}: comes with the installed moebench, where nothing can be published;"
            " publish from a checkout (`pip install --editable .`)"
        )
    path = results_in(runs, found)
    records = read(path)
    if {(record.target, record.profile) for record in records} != {(found.folder, runs.name)}:
        raise ValueError(f"{path}: has to hold runs of {found.folder} {runs.name}, and only those")
    if reasons := mixed_claims(found.claims, records):
        raise ValueError(f"{path}: mixed evidence: {'; '.join(reasons)}")
    write_all(records, found.evidence)
    evidence = committed()
    _fill_in([one for one in evidence if one.found.evidence == found.evidence], evidence)
    return found.evidence


def refill() -> None:
    """Fill in the tables of every target anew from its committed evidence.

    To be done where a data module has a new version: `python -m moebench.cli.publish`.
    """
    evidence = committed()
    _fill_in(evidence, evidence)


def _fill_in(changed: Sequence[Published], evidence: Sequence[Published]) -> None:
    """Fill in the READMEs of changed targets, and the front README that has all of them, if any."""
    for one in changed:
        readme = one.found.evidence.with_name(README)
        readme.write_text(with_tables(readme.read_text(), one))
        _draw(one.figures, readme.parent)
    for checkout in {one.found.evidence.parents[2] for one in changed}:
        front = checkout / README
        text = front.read_text() if front.is_file() else ""
        if RESULTS not in text:  # a folder of somebody's own papers
            continue
        front.write_text(with_results(text, evidence))
        (checkout / PICTURE).parent.mkdir(exist_ok=True)
        (checkout / PICTURE).write_text(picture_of(evidence))


def figures_in(folder: Path) -> list[Path]:
    """Return the figures that publishing has drawn in the folder of a paper."""
    return [path for pattern in DRAWN for path in sorted(folder.glob(pattern))]


def _draw(figures: Sequence[FigureFile], folder: Path) -> None:
    """Write the figures of a paper into its folder, and remove those that it no longer has."""
    for former in figures_in(folder):
        former.unlink()
    for figure in figures:
        (folder / figure.name).write_text(figure.svg)


def with_tables(text: str, published: Published) -> str:
    """Return the README of a reproduction with verdicts, costs and tables of its evidence."""
    verdicts = published.verdicts
    told = "\n\n".join([told_counts(verdicts), published.origin, markdown_table(verdicts)])
    filled = fill(text, "verdicts", told)
    if headline := published.found.paper.headline:
        verdict = next(one for one in verdicts if one.claim == headline)
        filled = fill(filled, "story", markdown_story(story(verdict, published.records)))
    if disputes := published.found.disputes:
        filled = fill(filled, "disputes", markdown_disputes(disputes, verdicts))
    filled = fill(filled, "figures", markdown_figures(published.figures))
    filled = fill(filled, "reasons", markdown_reasons(verdicts))
    filled = fill(filled, "costs", markdown_costs(published.records))
    for table in tables_of(published.found, published.records):
        filled = fill(filled, table.name, markdown_paper_table(table))
    return filled


def with_results(text: str, evidence: Sequence[Published]) -> str:
    """Return the front README with the counts of every target that has evidence.

    Raises:
        ValueError: if a paper does not load, for it would be gone from the page; or for a block of
            verdicts of a target that has no evidence.
    """
    if lost := left_out():
        told = "; ".join(f"{folder} does not load: {why}" for folder, why in lost.items())
        raise ValueError(f"no results without every paper: {told}")
    by_name = {one.found.name: one for one in evidence}
    for block, name in OUTPUT.findall(text):
        if name not in by_name:
            raise ValueError(f"{block}: {name} has no evidence")
        text = fill(text, block, output(by_name[name]))
    counts = {_linked(one.found): (name, one.verdicts) for name, one in by_name.items()}
    older = ", ".join(f"`{name}`" for name, one in by_name.items() if one.older)
    computed = ", ".join(f"`{name}`" for name, one in by_name.items() if one.needs_runs)
    waiting = ", ".join(f"`{one.name}`" for one in targets() if one.name not in by_name)
    notes = {
        f"To be run again on newer data: {older}; the page of each says how much of it.": older,
        f"Judged so far by what needs no training, their runs still to come: {computed}.": computed,
        f"Ready, but not yet run in full: {waiting}.": waiting,
    }
    said = [note for note, names in notes.items() if names]
    block = [part for part in (markdown_counts(counts), " ".join(said)) if part]
    return fill(text, "results", "\n\n".join(block)) if counts else text


def picture_of(evidence: Sequence[Published]) -> str:
    """Return the picture of every statement, as SVG."""
    return picture({f"{one.found.name} {one.found.paper.year}": one.verdicts for one in evidence})


def output(published: Published) -> str:
    """Return how the output of a reproduction of the committed evidence begins, as Markdown."""
    found, profile = published.found, published.profile
    lines = [
        f"$ make reproduce-{found.name} PROFILE={profile}",
        *beginning(published.verdicts, ROWS, COLUMNS),
        "...",
        f"report: runs/{found.folder}/{profile}/report.html",
    ]
    return "\n".join(["```", *lines, "```"])


def _linked(found: Target) -> str:
    """Return the title of a paper, with a link to its page."""
    path = found.evidence.with_name(README).relative_to(found.evidence.parents[2])
    return f"[{found.paper.title} ({found.paper.year})]({path.as_posix()})"


if __name__ == "__main__":
    refill()
