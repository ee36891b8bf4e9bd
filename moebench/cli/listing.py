"""What there is to use: targets with their claims, and the parts, by the key that takes them."""

import ast
import inspect
from collections.abc import Iterator

from moebench.cli.provenance import data_named
from moebench.data.modules import DATA_MODULES
from moebench.experiment.classes import fault, named_class
from moebench.experiment.part_registry import FAMILIES
from moebench.papers import Target, left_out, targets
from moebench.papers.claim import KINDS, Claim
from moebench.papers.registry import PACKAGE
from moebench.report.tables import table, wrapped


def listing() -> str:
    """Return targets with their claims, then the parts, as text."""
    lines = []
    for found in targets():
        profiles = ", ".join(profile.name for profile in found.plan.profiles)
        lines += wrapped(
            f"{found.name}: {found.paper.authors} {found.paper.year}, {found.paper.title}"
        )
        lines.append(f"  make reproduce-{found.name} PROFILE={{{profiles}}}")
        claims = [(claim.key, f"{_kind(claim)}{claim.says}") for claim in found.claims]
        lines += table((), claims, indent=2)
    for name, why in left_out().items():
        lines += wrapped(f"left out: reproductions/{name}: {why}")
    for key, parts in {**FAMILIES, "data": data_modules()}.items():
        rows = [
            (name if "." in name else part.__name__, _first_line(part))
            for name, part in parts.items()
        ]
        lines += [f"{key}:", *table((), rows, indent=2)]
    return "\n".join(lines)


def data_modules() -> dict[str, type]:
    """Return all data modules: those of moebench, and by their dotted names those of papers."""
    names = {name for found in targets() for name in (*_configured(found), *_defined(found))}
    kinds = {name: named_class(name) for name in sorted(names) if not fault(name)}
    ours = DATA_MODULES.values()
    return {**DATA_MODULES, **{n: kind for n, kind in kinds.items() if kind and kind not in ours}}


def _configured(found: Target) -> Iterator[str]:
    """Yield the names of data modules in the configurations of a paper's arms."""
    for names in {tuple(arm.configs) for arm in found.plan.arms}:
        paths = [found.configs / name for name in names]
        if all(path.is_file() for path in paths):
            yield data_named(paths)


def _defined(found: Target) -> Iterator[str]:
    """Yield the dotted names of the data modules that a paper's own files define."""
    folder = found.evidence.parent
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and "LightningDataModule" in map(_name, node.bases):
                yield f"{PACKAGE}.{module}.{node.name}"


def _name(base: ast.expr) -> str:
    """Return the name of a base class, without its module."""
    return ast.unparse(base).rpartition(".")[2]


def _first_line(part: type) -> str:
    """Return what the docstring of a part begins with."""
    return (inspect.getdoc(part) or "").splitlines()[0]


def _kind(claim: Claim) -> str:
    """Say what a claim is that is no statement of the paper."""
    if claim.control_of:
        return f"[{KINDS[claim.expects]} control of {claim.control_of}] "
    return "[ours] " if claim.ours else ""
