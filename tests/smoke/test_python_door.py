"""`import moebench`: what docs/python.md shows works as it is shown."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import moebench
from moebench.experiment import ConfigurationError
from moebench.experiment.part_registry import FAMILIES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/python.md").read_text()


def blocks(language: str) -> list[str]:
    """Code blocks of the page, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def script(text: str, folder: Path) -> str:
    """Return what a program prints that is a file without a guard, in a folder of its own."""
    (folder / "notebook.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "notebook.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_runs_from_top_to_bottom(tmp_path: Path) -> None:
    for text in blocks("yaml"):
        name = text.removeprefix("# ").partition(":")[0]
        (tmp_path / name).write_text(text)
    printed = script("\n".join(blocks("python")), tmp_path)
    assert printed.count("finished ") == 1, "workers must not run the script again"
    assert "dense_active_flops" in printed


def test_it_is_imported_in_no_time() -> None:
    """Nothing but what Python needs itself, until something is asked for."""
    program = "import sys; import moebench; print([n for n in sys.modules if 'moebench.' in n])"
    heavy = "print({'torch', 'pandas', 'numpy', 'lightning', 'mlflow'} & set(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", f"{program}; {heavy}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.split("\n")[:2] == ["[]", "set()"]


def test_what_editors_see_is_what_there_is() -> None:
    tree = ast.parse((ROOT / "moebench/__init__.py").read_text())
    [types] = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in types.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname: (node.module, alias.name) for node in imports for alias in node.names}
    seen["dispatchers"] = seen.pop("_dispatch")
    assert set(seen) == set(moebench.__all__) <= set(dir(moebench))
    for name, (home, named) in seen.items():
        there = getattr(__import__(home, fromlist=[named]), named)
        assert getattr(moebench, name) is there, name
        assert there.__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = moebench.nothing


def test_no_part_is_called_otherwise_for_being_offered() -> None:
    """A configuration names a class by its shortest path, and its hash would be another one."""
    parts = {part.__name__ for family in FAMILIES.values() for part in family.values()}
    assert not parts & set(moebench.__all__)


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: moebench.reproduce("nobody", track=False), "target=nobody: unknown; "),
        (lambda: moebench.verdicts("nobody"), "target=nobody: unknown; "),
        (lambda: moebench.records("nobody"), "target=nobody: unknown; "),
        (lambda: moebench.sweep("nowhere.yaml"), "nowhere.yaml: no such file"),
        (lambda: moebench.fit("nowhere.yaml"), "nowhere.yaml"),
        (lambda: moebench.fit({"model": {"network": "Decodr"}}), "the nearest: Decoder"),
        (lambda: moebench.fit("nowhere.yaml", name="../x"), "name=../x: becomes a folder"),
        (lambda: moebench.compare(records="nowhere"), "nowhere: neither a folder"),
    ],
)
def test_what_is_refused_is_a_value_error_of_one_line(
    call, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=re.escape(why)) as refusal:
        call()
    assert "\n" not in str(refusal.value)
    assert not list(tmp_path.iterdir())


def test_a_refused_configuration_is_named_as_such() -> None:
    with pytest.raises(ValueError, match="nowhere") as refusal:
        moebench.fit("nowhere.yaml")
    assert isinstance(refusal.value.__cause__, ConfigurationError)
