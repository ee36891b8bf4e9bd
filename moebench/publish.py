"""From runs to committed evidence: records into the reproduction's folder, tables into READMEs.

No number in a README is typed; `tests/smoke/test_tables.py` makes the tables anew and compares.
"""

from pathlib import Path

from moebench.provenance import outdated
from moebench.records import RunRecord, read, write_all
from moebench.report import (
    fill,
    markdown_costs,
    markdown_counts,
    markdown_paper_table,
    markdown_reasons,
    markdown_table,
)
from moebench.targets import Target, left_out, target, targets
from moebench.verdict import Verdict
from moebench.verdict.mixture import mixtures

README = "README.md"


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
    if reasons := mixtures(found.claims, records):
        raise ValueError(f"{runs / 'results.jsonl'}: mixed evidence: {'; '.join(reasons)}")
    write_all(records, found.evidence)
    readme = found.evidence.with_name(README)
    readme.write_text(with_tables(readme.read_text(), found, records))
    front = found.evidence.parents[2] / README
    front.write_text(with_results(front.read_text()))
    return found.evidence


def refill() -> None:
    """Fill in the tables of every target anew from its committed evidence.

    To be done where a data module has a new version: `python -m moebench.publish`.
    """
    evidenced = [found for found in targets() if found.evidence.exists()]
    for found in evidenced:
        readme = found.evidence.with_name(README)
        readme.write_text(with_tables(readme.read_text(), found, read(found.evidence)))
    for front in {found.evidence.parents[2] / README for found in evidenced}:
        front.write_text(with_results(front.read_text()))


def with_tables(text: str, found: Target, records: list[RunRecord]) -> str:
    """Return the README of a reproduction with verdicts, costs and tables of its evidence."""
    verdicts = judged(found, records)
    filled = fill(text, "verdicts", f"{origin(found, records)}\n\n{markdown_table(verdicts)}")
    filled = fill(filled, "reasons", markdown_reasons(verdicts))
    filled = fill(filled, "costs", markdown_costs(records))
    for table in found.tables(records):
        filled = fill(filled, table.name, markdown_paper_table(table))
    return filled


def with_results(text: str) -> str:
    """Return the front README with the verdicts of every target that has evidence.

    One row a paper counts the verdicts; the claims follow, paper by paper, folded.

    Raises:
        ValueError: if a paper does not load: it would be gone from the page.
    """
    if lost := left_out():
        told = "; ".join(f"{folder} does not load: {why}" for folder, why in lost.items())
        raise ValueError(f"no results without every paper: {told}")
    counts, folded = {}, []
    for found in targets():
        if found.evidence.exists():
            records = read(found.evidence)
            verdicts = judged(found, records)
            paper = f"{found.paper.title} ({found.paper.year})"
            link = f"[{paper}](reproductions/{found.folder}/README.md)"
            counts[f"{link}: `make reproduce-{found.name}`"] = verdicts
            table = f"{origin(found, records)}\n\n{markdown_table(verdicts)}"
            folded.append(f"<details>\n<summary>{paper}</summary>\n\n{table}\n\n</details>")
    if not counts:
        return text
    return fill(text, "results", "\n\n".join([markdown_counts(counts), *folded]))


def judged(found: Target, records: list[RunRecord]) -> list[Verdict]:
    """Return the verdicts by committed evidence, that of other targets where a claim names one."""
    return found.judge(records, profile_of(records), lambda name: target(name).evidence)


def profile_of(records: list[RunRecord]) -> str:
    """Return the one profile that records come from; ValueError if there are several."""
    profiles = {record.profile for record in records}
    if len(profiles) != 1:
        raise ValueError(f"evidence is of one profile, not of {', '.join(sorted(profiles))}")
    return profiles.pop()


def origin(found: Target, records: list[RunRecord]) -> str:
    """Return one sentence on where the records come from, and one if their data are out of date."""
    trained = [record for record in records if record.steps]
    some = trained or records  # a paper may have computed results alone
    machines = sorted({str(record.hardware.get("processor", "?")) for record in some})
    hours = sum(record.seconds for record in trained) / 3600
    made = f"{len(trained)} runs, {hours:.1f} hours of training" if trained else "computed"
    told = (
        f"Profile `{profile_of(records)}`: {made} on {', '.join(machines)}; at this scale, no more."
    )
    older = outdated(found, records)
    return f"{told} **{older}**" if older else told


if __name__ == "__main__":
    refill()
