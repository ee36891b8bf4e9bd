"""The shape of moebench: who may import whom, how large a part may be, what must be said."""

import ast
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from moebench.papers import targets

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "moebench"
ROWS = [  # each module imports only from rows below its own
    {"api"},
    {"cli"},
    {"sweeps", "testing"},
    {"report"},
    {"comparison"},
    {"run"},
    {"interop"},
    {"experiment"},
    {"training", "tracking"},
    {"analysis"},
    {"models"},
    {"data"},
    {"verdict"},
    {"papers"},
    {"moe", "evidence", "statistics"},
]
HOMES = {  # packages and the only modules that may know them
    "jsonargparse": {"experiment", "papers"},
    "yaml": {"experiment", "papers"},
    "mlflow": {"tracking"},
    "optuna": {"sweeps"},
    "pytorch_lightning": {"data", "experiment", "run", "training"},
    "matplotlib": {"report"},
    "pandas": {"api"},
    "jinja2": {"report"},
    "transformers": {"interop"},
    "datasets": {"data"},
    "datasketch": {"data"},
    "pyarrow": {"data"},
    "tokenizers": {"data"},
    "filelock": {"data", "run", "tracking"},
    "ray": {"run"},
    "submitit": {"run"},
    "pytest": {"testing"},
    "rich": {"report"},
    "triton": {"moe"},
}
WITHOUT_TORCH = {
    "papers",
    "evidence",
    "statistics",
    "verdict",
    "report",
    "tracking",
    "comparison",
}
FRAMEWORK_BASES = {
    "ABC",
    "ArgumentParser",
    "Callback",
    "Checkpoint",
    "Exception",
    "Flag",
    "LightningCLI",
    "LightningDataModule",
    "LightningModule",
    "Logger",
    "Mapping",
    "Module",
    "NamedTuple",
    "Protocol",
    "ClaimTest",  # abstract, as is Estimate; Known is an Estimate under another name
    "Estimate",
    "Known",
    "RoutingDecision",  # data, not behaviour: a decision may say more than every decision does
    "RuntimeError",
    "StrEnum",
    "Function",
    "Generic",
    "ValueError",
    "ConnectionError",
}
HEIGHT = {name: -row for row, names in enumerate(ROWS) for name in names}
OUTSIDE = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}  # in no part
FILES = sorted(set(PACKAGE.rglob("*.py")) - OUTSIDE)
CODE = [*FILES, *sorted((ROOT / "benchmarks").rglob("*.py"))]
CODE += [p for p in (ROOT / "reproductions").rglob("*.py") if not p.name.startswith("test_")]
TESTS = sorted(path for end in ("py", "yaml") for path in (ROOT / "tests").rglob(f"*.{end}"))
OF_PAPERS = sorted((ROOT / "reproductions").rglob("test_*.py"))

text = cache(Path.read_text)


@cache
def tree(path: Path) -> ast.Module:
    """A file, parsed."""
    return ast.parse(text(path))


def faults(paths: Iterable[Path], check: Callable[[Path], Collection[str]]) -> dict[str, Any]:
    """What a check finds, by file."""
    found = {str(path.relative_to(ROOT)): check(path) for path in paths}
    return {name: what for name, what in found.items() if what}


def part(path: Path) -> str:
    """Name of the module or package directly under moebench that a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> list[str]:
    """All modules a file imports to run, `from package import module` spelled out."""
    names: list[str] = []
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in set(ast.walk(tree)) - for_types:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def violations(here: str, tree: ast.AST) -> list[str]:
    """What a file of the part `here` imports that it must not."""
    found = []
    for name in imported(tree):
        root, *rest = name.split(".")
        if root == "moebench" and rest and rest[0] in HEIGHT:
            there = rest[0]
            if there != here and HEIGHT[there] >= HEIGHT[here]:
                found.append(f"{here} imports {there}, which is not below it")
        elif here not in HOMES.get(root, {here}):
            found.append(f"{here} must not know {root}")
        if root == "torch" and here in WITHOUT_TORCH:
            found.append(f"{here} must do without torch")
        if root in {"reproductions", "benchmarks", "tests"}:
            found.append(f"nothing imports {root}")
    return found


def test_about_eighteen_names_at_the_top() -> None:
    names = {path.name for path in PACKAGE.iterdir() if not path.name.startswith((".", "_"))}
    assert names - {"py.typed"} == {part(path) for path in FILES} == set(HEIGHT), "see ROWS"
    assert len(HEIGHT) <= 20


def test_imports_point_downward() -> None:
    assert not faults(FILES, lambda path: violations(part(path), tree(path)))


@pytest.mark.parametrize(
    ("here", "line"),
    [
        ("moe", "from moebench.training.module import Training"),
        ("training", "import mlflow"),
        ("statistics", "import torch"),
        ("data", "from moebench import models"),
        ("cli", "from reproductions.tiny_2026 import paper"),
    ],
)
def test_a_planted_violation_is_seen(here: str, line: str) -> None:
    assert violations(here, ast.parse(line))
    assert not violations(here, ast.parse(f"if TYPE_CHECKING:\n    {line}"))


PAPERS = sorted(path.parent.name for path in (ROOT / "reproductions").glob("*/__init__.py"))


def papers_named(text: str) -> list[str]:
    """Which papers a text names; a model that many papers use has the name of its own.

    The name of a folder may be a plain word, which names it only as part of a path.
    """
    others = re.sub(r"moebench[./]models[./]\w+", "", text)
    paths = {one: one if "_" in one else rf"(reproductions|configs)[./]{one}\b" for one in PAPERS}
    return [paper for paper, path in paths.items() if re.search(path, others)]


def test_the_core_and_its_tests_name_no_paper() -> None:
    assert papers_named(f'part = "reproductions.{PAPERS[0]}.plan:PLAN"') == [PAPERS[0]]
    assert not papers_named(f"from moebench.models.{PAPERS[0]} import Model")
    assert not faults([*FILES, *TESTS], lambda path: papers_named(text(path)))
    keys = "|".join(claim.key for found in targets() for claim in found.claims)
    assert not faults(TESTS, lambda path: re.findall(rf"(?<!\w)(?:{keys})(?!\w)", text(path)))


SAME = {
    "contract.py",
    "figures.py",
    "opening.py",
    "outside_graphs.py",
    "page.py",
}  # one thing in several families


def test_a_name_is_one_thing() -> None:
    count = Counter(path.name for path in FILES if path.name != "__init__.py")
    assert {name for name, places in count.items() if places > 1} <= SAME


def test_no_file_of_the_core_serves_one_paper_alone() -> None:
    users: dict[str, set[str]] = {}  # module -> those that import it or something in it
    for path in CODE:
        folder, name = path.relative_to(ROOT).parts[:2]
        for full in imported(tree(path)):
            parts = full.split(".")
            for module in {".".join(parts[:length]) for length in range(1, len(parts) + 1)}:
                users.setdefault(module, set()).add(name if folder == "reproductions" else "core")
    # Tests of claims are a family that papers choose from, as configurations do from routers.
    shared = [p for p in FILES if part(p) != "testing" and "(ClaimTest)" not in text(p)]
    alone = {
        module: users[module]
        for path in shared
        for module in [
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        ]
        if len(users.get(module, ())) == 1 and "core" not in users[module]
    }
    assert not alone


def too_large(path: Path) -> list[str]:
    """What of a file is larger than one reads at once."""
    found = ["250 lines at most"] if text(path).count("\n") > 250 else []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            body = lines - len((ast.get_docstring(node) or "").splitlines())
            found += [f"{node.name}: {body} lines, 40 at most"] if body > 40 else []
            taken = len(node.args.args + node.args.kwonlyargs) - 1
            if node.name == "__init__" and taken > 7:
                found.append(f"a constructor takes 7 parameters at most, not {taken}")
    return found


def test_sizes() -> None:
    assert not faults(CODE, too_large)


LONG = {  # files of tests that a cut would leave in halves that read one another
    "tests/test_architecture.py": "the whole shape, in the one file that `make check` runs",
    "tests/contract/test_papers.py": "the one contract of all papers",
    "tests/smoke/test_cli.py": "one reproduction from end to end, and its refusals",
    "tests/smoke/test_readme.py": "one walk over every command on every page",
    "tests/smoke/test_resume_parts.py": "every kind of part, against one run that was not killed",
    "tests/smoke/test_sweep.py": "one sweep from its file to its page, however often killed",
    "tests/unit/report/test_sweep.py": "one summary, of which every figure and table is made",
    "tests/unit/run/test_run.py": "one run from its history to its ending",
    "tests/unit/sweeps/test_definition.py": "all that one file may say",
    "tests/unit/sweeps/test_trials.py": "one study, whose states follow from one another",
}


def test_sizes_of_tests() -> None:
    """As of code; the exceptions say why, and none outlives its cause."""
    long = [path for path in (*TESTS, *OF_PAPERS) if text(path).count("\n") > 250]
    assert {str(path.relative_to(ROOT)) for path in long} == set(LONG)


def without_a_module(path: Path) -> list[str]:
    """The name of a unit test that is neither of a module or package of its wing nor of the wing.

    `test_<module>_<aspect>.py` is one of several files on a module.
    """
    wing = path.parent
    home = ROOT / wing.name if wing.name == "benchmarks" else PACKAGE / wing.name
    modules = {one.stem for one in home.rglob("*") if one.suffix in ("", ".py")} | {wing.name}
    name = path.stem.removeprefix("test_")
    named = any(name == module or name.startswith(f"{module}_") for module in modules)
    return [] if named else [f"no module of {wing.name} has this name"]


def test_a_unit_test_has_the_name_of_its_module() -> None:
    units = sorted((ROOT / "tests" / "unit").rglob("test_*.py"))
    assert {path.parent.parent for path in units} == {ROOT / "tests" / "unit"}
    assert not faults(units, without_a_module)
    assert without_a_module(ROOT / "tests" / "unit" / "moe" / "test_nothing.py")


def test_only_framework_classes_are_inherited() -> None:
    def others(path: Path) -> list[str]:
        classes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
        bases = [ast.unparse(base) for node in classes for base in node.bases]
        return [base for base in bases if base.split("[")[0].split(".")[-1] not in FRAMEWORK_BASES]

    assert not faults(FILES, others)


def test_parts_name_their_papers() -> None:
    parts = [
        path
        for family in ("moe/routers", "moe/experts", "moe/losses", "moe/dispatch", "models")
        for path in sorted((PACKAGE / family).glob("*.py"))
        if path.name not in {"__init__.py", "combine.py", "loop.py", "grouped_matmul.py"}
        and re.search(r"class \w+\(nn\.Module\)", text(path))
    ]
    assert parts
    assert not [p for p in parts if "Source:" not in (ast.get_docstring(tree(p)) or "")]


def test_configurations_are_short_and_say_why() -> None:
    configs = sorted((ROOT / "configs").rglob("*.yaml"))
    assert not [p for p in configs if not text(p).startswith("# ") or text(p).count("\n") > 30]
