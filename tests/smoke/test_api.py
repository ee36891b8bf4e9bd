"""`import moebench`: what it offers, and how it refuses."""

import ast
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import moebench
from moebench.api.frames import record_frame, verdict_frame
from moebench.api.refusing import one_line
from moebench.experiment import ConfigurationError
from moebench.experiment.part_registry import FAMILIES
from moebench.report.comparison.pair_sheet import FULL_HEAD

ROOT = Path(__file__).parents[2]
SCRIPT = """
import moebench

EXPERTS = {"class_path": "SwiGLU", "init_args": {"hidden": 8}}
config = {
    "model": {
        "network": {
            "class_path": "Decoder",
            "init_args": {
                "shape": {"width": 16, "hidden": 16, "layers": 1, "heads": 1},
                "sparse": {"router": "mine.Mine", "experts": EXPERTS, "every": 1},
            },
        },
    },
    "data": {
        "class_path": "Synthetic",
        "init_args": {"world": "Uniform", "length": 4, "batch_size": 2, "valid_batches": 1},
    },
}
one_step = {"trainer.max_steps": 1, "trainer.val_check_interval": 1}
fitted = moebench.fit(config, one_step, track=False)
[router] = [part for part in fitted.model.modules() if type(part).__name__ == "Mine"]
print("trained:", fitted.record.status, fitted.record.metrics["valid/loss"] > 0)
"""
MINE = """
from moebench.moe.routers import Switch


class Mine(Switch):
    def __init__(self, dim: int) -> None:
        super().__init__(dim, 2)
"""


def test_a_script_trains_without_a_guard(tmp_path: Path) -> None:
    """Workers do not run it again, and find the part in the file beside it."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "mine.py").write_text(MINE)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["trained: finished True"], done.stderr
    assert done.stdout.count("trained:") == 1


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


def example_of(name: str) -> str:
    """The example in the documentation of a name."""
    told = inspect.getdoc(getattr(moebench, name)) or ""
    [found] = re.findall(r"^Example:\n((?: {4}.*\n?|\n)+)", told, re.MULTILINE)
    return textwrap.dedent(found)


ELSEWHERE = ("fit", "reproduce", "sweep", "compare", "open_model")  # docs/python.md runs these


@pytest.mark.parametrize("name", moebench.__all__)
def test_help_has_an_example_that_works(name: str) -> None:
    code = compile(example_of(name), name, "exec")
    if name in ELSEWHERE:
        assert {name, "moebench"} <= set(code.co_names)
        return
    names = {one: getattr(moebench, one) for one in moebench.__all__}
    names |= {"moebench": moebench, "torch": torch, "x_TD": torch.randn(10, 64)}
    exec(example_of("MoELayer"), names)  # the others use its router and its layer
    exec(code, names)


@pytest.mark.parametrize(
    "name", [name for name in moebench.__all__ if inspect.isfunction(getattr(moebench, name))]
)
def test_help_says_what_a_function_takes_returns_and_refuses(name: str) -> None:
    function = getattr(moebench, name)
    told, signature = inspect.getdoc(function) or "", inspect.signature(function)
    for parameter in signature.parameters.values():
        assert parameter.annotation is not parameter.empty
        assert f"\n    {parameter.name}: " in told, parameter.name
    assert signature.return_annotation is not signature.empty
    assert name == "tokens_choose" or {"Returns:", "Raises:"} <= set(told.split("\n"))


def test_the_columns_of_data_frames_are_on_the_page() -> None:
    page = (ROOT / "docs/python.md").read_text()
    ends = {name for name in FULL_HEAD if name.endswith(("_low", "_high"))}
    for columns in (record_frame([]).columns, verdict_frame([]).columns, set(FULL_HEAD) - ends):
        assert {name for name in columns if f"`{name}`" not in page} == set()


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
        (lambda: moebench.fit("nowhere.yaml"), "nowhere.yaml: no such file"),
        (lambda: moebench.fit({"model": {"network": "Decodr"}}), "the nearest: Decoder"),
        (lambda: moebench.fit("nowhere.yaml", name="../x"), "name=../x: becomes a folder"),
        (lambda: moebench.compare(records="nowhere"), "nowhere: neither a folder"),
        (lambda: moebench.open_model("nowhere"), "nowhere: no such file or folder"),
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


def test_a_refused_key_is_told_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("model:\n  network: Decodr\n")
    with pytest.raises(ValueError, match=rf"^{re.escape(str(file))}: model\.network: ") as refusal:
        moebench.fit(file)
    assert isinstance(refusal.value.__cause__, ConfigurationError)
    with pytest.raises(ValueError, match=r"^model\.network: "):
        moebench.fit({"model": {"network": "Decodr"}})


def test_an_error_of_the_system_begins_with_its_file(tmp_path: Path) -> None:
    file = tmp_path / "nowhere"
    told = re.escape(f"{file}: No such file or directory")
    with pytest.raises(ValueError, match=f"^{told}$"), one_line():
        file.read_text()
