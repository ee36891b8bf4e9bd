"""What there is to use: targets with their claims, sweeps, and parts by the key that takes them."""

import inspect
from collections.abc import Iterator

from moebench.cli.provenance import data_named
from moebench.data.modules import DATA_MODULES
from moebench.experiment.classes import fault, named_class
from moebench.experiment.part_registry import FAMILIES
from moebench.papers import left_out, targets
from moebench.papers.claim import KINDS, Claim
from moebench.papers.home import CONFIGS, HOME
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
    for name, why in left_out().items():
        lines += wrapped(f"left out: reproductions/{name}: {why}")
    lines += ["sweeps:", *table((), [*sweep_files()], indent=2)]
    for key, parts in {**FAMILIES, "data": data_modules()}.items():
        rows = [
            (name if "." in name else part.__name__, _first_line(part))
            for name, part in parts.items()
        ]
        lines += [f"{key}:", *table((), rows, indent=2)]
    return "\n".join(lines)


def sweep_files() -> Iterator[tuple[str, str]]:
    """Yield the path of every sweep that comes with moebench, and what its first line says."""
    for path in sorted((HOME / CONFIGS / "sweeps").glob("*.yaml")):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        yield path.relative_to(HOME).as_posix(), first.removeprefix("# ")


def data_modules() -> dict[str, type]:
    """Return all data modules: those of moebench, and by their dotted names those of papers."""
    files = {
        tuple(found.configs / name for name in arm.configs)
        for found in targets()
        for arm in found.plan.arms
    }
    names = {data_named(paths) for paths in files if all(path.is_file() for path in paths)}
    kinds = {name: named_class(name) for name in sorted(names) if not fault(name)}
    ours = DATA_MODULES.values()
    return {**DATA_MODULES, **{n: kind for n, kind in kinds.items() if kind and kind not in ours}}


def _first_line(part: type) -> str:
    """Return what the docstring of a part begins with."""
    return (inspect.getdoc(part) or "").splitlines()[0]


def _kind(claim: Claim) -> str:
    """Say what a claim is that is no statement of the paper."""
    if claim.control_of:
        return f"[{KINDS[claim.expects]} control of {claim.control_of}] "
    return "[ours] " if claim.ours else ""
