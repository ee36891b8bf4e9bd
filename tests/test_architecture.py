"""The shape of moebench: who may import whom, how large a part may be, what must be said."""

import ast
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

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
    "filelock": {"run", "tracking"},
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
    "ValueError",
    "ConnectionError",
}
HEIGHT = {name: -row for row, names in enumerate(ROWS) for name in names}
OUTSIDE = {PACKAGE / "__init__.py", PACKAGE / "__main__.py"}  # in no part
FILES = sorted(set(PACKAGE.rglob("*.py")) - OUTSIDE)
CODE = [*FILES, *sorted((ROOT / "benchmarks").rglob("*.py"))]
TESTS = sorted(path for end in ("py", "yaml") for path in (ROOT / "tests").rglob(f"*.{end}"))
CODE += [p for p in (ROOT / "reproductions").rglob("*.py") if not p.name.startswith("test_")]


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


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path: Path) -> None:
    assert part(path) in HEIGHT, f"give {part(path)} a place in ROWS"
    assert not violations(part(path), ast.parse(path.read_text()))


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
    """Which papers a text names; a model that many papers use has the name of its own."""
    others = re.sub(r"moebench[./]models[./]\w+", "", text)
    return [paper for paper in PAPERS if paper in others]


def test_the_core_names_no_paper() -> None:
    named = {str(path.relative_to(PACKAGE)): papers_named(path.read_text()) for path in FILES}
    assert not {name: papers for name, papers in named.items() if papers}


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_of_the_core_names_no_paper(path: Path) -> None:
    text = path.read_text()
    assert not papers_named(text)
    keys = [claim.key for found in targets() for claim in found.claims]
    assert not [key for key in keys if re.search(rf"(?<!\w){key}(?!\w)", text)]


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_that_is_named_is_seen(paper: str) -> None:
    assert papers_named(f'part = "reproductions.{paper}.plan:PLAN"') == [paper]
    assert not papers_named(f"from moebench.models.{paper} import Model")


def test_about_eighteen_names_at_the_top() -> None:
    names = {path.name for path in PACKAGE.iterdir() if not path.name.startswith((".", "_"))}
    assert names - {"py.typed"} == {part(path) for path in FILES} == set(HEIGHT)
    assert len(HEIGHT) <= 20


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


def users_of(module: str, files: Sequence[Path]) -> set[str]:
    """Which papers, or "core", import a module of the core or something in it."""
    found = set()
    for path in files:
        names = IMPORTED[path]
        if any(name == module or name.startswith(f"{module}.") for name in names):
            paper = path.relative_to(ROOT).parts[:2]
            found.add(paper[1] if paper[0] == "reproductions" else "core")
    return found


IMPORTED = {path: imported(ast.parse(path.read_text())) for path in CODE}


@pytest.mark.parametrize(
    "path",
    # Tests of claims are a family that papers choose from, as configurations do from routers.
    [path for path in FILES if part(path) != "testing" and "(ClaimTest)" not in path.read_text()],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_no_file_of_the_core_serves_one_paper_alone(path: Path) -> None:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    users = users_of(module, [other for other in CODE if other != path])
    assert len(users - {"core"}) != 1 or "core" in users, f"only {users} needs it"


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 250, "a file is one part; 250 lines at most"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            body = lines - len((ast.get_docstring(node) or "").splitlines())
            assert body <= 40, f"{node.name}: {body} lines, 40 at most"
            if node.name == "__init__":
                count = len(node.args.args + node.args.kwonlyargs) - 1
                assert count <= 7, f"a constructor takes 7 parameters at most, not {count}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_framework_classes_are_inherited(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases}
            assert bases <= FRAMEWORK_BASES, f"{node.name} inherits from {bases}"


@pytest.mark.parametrize(
    "path",
    [
        path
        for family in ("moe/routers", "moe/experts", "moe/losses", "moe/dispatch", "models")
        for path in sorted((PACKAGE / family).glob("*.py"))
        if path.name not in {"__init__.py", "combine.py", "loop.py", "grouped_matmul.py"}
        and re.search(r"class \w+\(nn\.Module\)", path.read_text())
    ],
    ids=lambda path: path.name,
)
def test_papers_are_named(path: Path) -> None:
    assert "Source:" in (ast.get_docstring(ast.parse(path.read_text())) or "")


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda p: p.name)
def test_configurations_are_short_and_say_why(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 30
    assert lines[0].startswith("# ")
