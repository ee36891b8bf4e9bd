"""What there is to use: targets with claims and disputes, sweeps, and parts by their keys."""

from collections.abc import Iterator

from moebench.cli.part_sources import data_modules_in, families
from moebench.papers import left_out, targets
from moebench.papers.claim import KINDS, Claim
from moebench.papers.home import CONFIGS, HOME, PACKAGE
from moebench.report.paper.disputes import said
from moebench.report.tables import table, wrapped


def listing() -> str:
    """Return targets with their claims, then sweeps and the parts, as text."""
    lines = []
    for found in targets():
        profiles = ", ".join(profile.name for profile in found.plan.profiles)
        lines += wrapped(
            f"{found.name}: {found.paper.authors} {found.paper.year}, {found.paper.title}"
        )
        lines.append(f"  {found.command(f'{{{profiles}}}')}")
        claims = [(claim.key, f"{_kind(claim)}{claim.says}") for claim in found.claims]
        lines += table((), claims, indent=2)
        for dispute in found.disputes:
            lines += wrapped(f"disputed: {dispute.question}", "  ", "    ")
            for side in dispute.sides:
                lines += wrapped(said(side), "    ", "      ")
    for name, why in left_out().items():
        lines += wrapped(f"left out: reproductions/{name}: {why}")
    lines += ["sweeps:", *table((), [*sweep_files()], indent=2)]
    parts = families()
    parts["data"] |= data_modules()
    for key, family in parts.items():
        lines += [f"{key}:", *table((), [*family.items()], indent=2)]
    return "\n".join(lines)


def sweep_files() -> Iterator[tuple[str, str]]:
    """Yield the path of every sweep that comes with moebench, and what its first line says."""
    for path in sorted((HOME / CONFIGS / "sweeps").glob("*.yaml")):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        yield path.relative_to(HOME).as_posix(), first.removeprefix("# ")


def data_modules() -> dict[str, str]:
    """Return dotted name -> first line of the data modules of papers."""
    found: dict[str, str] = {}
    for one in targets():
        found |= data_modules_in(one.evidence.parent, f"{PACKAGE}.{one.folder}")
    return found


def _kind(claim: Claim) -> str:
    """Say what a claim is that is no statement of the paper."""
    if claim.control_of:
        return f"[{KINDS[claim.expects]} control of {claim.control_of}] "
    return "[ours] " if claim.ours else ""
