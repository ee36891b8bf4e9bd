"""From runs to committed evidence: records into the reproduction's folder, tables into READMEs.

No number in a README is typed; `tests/contract/test_papers.py` makes the tables again and compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from moebench.cli.provenance import outdated
from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, write_all
from moebench.papers import Target, left_out, target, targets
from moebench.report import (
    fill,
    markdown_costs,
    markdown_counts,
    markdown_paper_table,
    markdown_reasons,
    markdown_table,
)
from moebench.report.paper.own_tables import tables_of
from moebench.verdict import Verdict
from moebench.verdict.mixed_evidence import mixed_claims
from moebench.verdict.paper import judge_paper

README = "README.md"


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
    def origin(self) -> str:
        """A sentence on where the records come from, and one if their data are out of date."""
        trained = [record for record in self.records if record.steps]
        some = trained or self.records  # a paper may have computed results alone
        machines = sorted({str(record.hardware.get("processor", "?")) for record in some})
        hours = sum(record.seconds for record in trained) / 3600
        made = f"{len(trained)} runs, {hours:.1f} hours of training" if trained else "computed"
        told = f"Profile `{self.profile}`: {made} on {', '.join(machines)}; at this scale, no more."
        older = outdated(self.found, self.records)
        return f"{told} **{older}**" if older else told


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
        ValueError: if they are mixed.
    """
    records = read(runs / "results.jsonl")
    if reasons := mixed_claims(found.claims, records):
        raise ValueError(f"{runs / 'results.jsonl'}: mixed evidence: {'; '.join(reasons)}")
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
    """Fill in the READMEs of changed targets, and the front README that has all of them."""
    for one in changed:
        readme = one.found.evidence.with_name(README)
        readme.write_text(with_tables(readme.read_text(), one))
    for front in {one.found.evidence.parents[2] / README for one in changed}:
        front.write_text(with_results(front.read_text(), evidence))


def with_tables(text: str, published: Published) -> str:
    """Return the README of a reproduction with verdicts, costs and tables of its evidence."""
    verdicts = published.verdicts
    filled = fill(text, "verdicts", f"{published.origin}\n\n{markdown_table(verdicts)}")
    filled = fill(filled, "reasons", markdown_reasons(verdicts))
    filled = fill(filled, "costs", markdown_costs(published.records))
    for table in tables_of(published.found, published.records):
        filled = fill(filled, table.name, markdown_paper_table(table))
    return filled


def with_results(text: str, evidence: Sequence[Published]) -> str:
    """Return the front README with the verdicts of every target that has evidence.

    One row a paper counts the verdicts; the claims follow, paper by paper, folded.

    Raises:
        ValueError: if a paper does not load: it would be gone from the page.
    """
    if lost := left_out():
        told = "; ".join(f"{folder} does not load: {why}" for folder, why in lost.items())
        raise ValueError(f"no results without every paper: {told}")
    counts, folded = {}, []
    for one in evidence:
        found = one.found
        paper = f"{found.paper.title} ({found.paper.year})"
        link = f"[{paper}](reproductions/{found.folder}/README.md)"
        counts[f"{link}: `make reproduce-{found.name}`"] = one.verdicts
        table = f"{one.origin}\n\n{markdown_table(one.verdicts)}"
        folded.append(f"<details>\n<summary>{paper}</summary>\n\n{table}\n\n</details>")
    if not counts:
        return text
    return fill(text, "results", "\n\n".join([markdown_counts(counts), *folded]))


if __name__ == "__main__":
    refill()
