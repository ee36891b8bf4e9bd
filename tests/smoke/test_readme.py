"""What the README shows works as it is shown."""

import re
from pathlib import Path

import pytest

from moebench.cli.main import parser
from moebench.experiment import parse
from moebench.papers import targets
from moebench.sweeps import read_sweep

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """Code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_a_router_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its file, its YAML, the command that uses both, and its contract tests; one with a state."""
    router, contract, balanced = blocks("python")
    [overlay] = blocks("yaml")
    package = tmp_path / "their_pkg"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "routers.py").write_text(router)
    (package / "balanced.py").write_text(balanced)
    (tmp_path / "coldest.yaml").write_text(overlay)
    (tmp_path / "test_coldest.py").write_text(contract)
    of_balanced = contract.replace("Coldest", "Balanced").replace(".routers", ".balanced")
    (tmp_path / "test_balanced.py").write_text(of_balanced)
    monkeypatch.syspath_prepend(tmp_path)

    [line] = re.findall(r"^\.venv/bin/moebench fit (.*)$", README, re.MULTILINE)
    arguments = [str(tmp_path / word) if word == "coldest.yaml" else word for word in line.split()]
    monkeypatch.chdir(ROOT)
    model, _, _ = parse(arguments).build(logger=False)
    assert "Coldest" in {type(module).__name__ for module in model.modules()}

    capsys.readouterr()
    plugins = ["-p", "no:cacheprovider", "-p", "no:faulthandler", "-p", "no:xdist"]
    files = [str(tmp_path / f"test_{name}.py") for name in ("coldest", "balanced")]
    status = pytest.main(["-q", *plugins, *files])
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert " passed" in printed


def test_a_sweep_of_ones_own(tmp_path: Path) -> None:
    [text] = blocks("yml")
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("../", f"{ROOT}/configs/"))
    sweep = read_sweep(path)
    assert sweep.trials == 40
    names = [dimension.name for dimension in sweep.space]
    assert names == ["learning rate", "balance weight", "capacity factor", "experts"]
    assert sweep.tuning == sweep.space[:1]


def test_files_to_read_first_exist() -> None:
    paths = re.findall(r"^\d\. `([^`]+)`", README, re.MULTILINE)
    assert len(paths) == 6
    assert all((ROOT / path).exists() for path in paths)


def test_make_targets_and_commands_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for name in set(re.findall(r"`make ([a-z]+)[^a-z-]", README)):
        assert re.search(rf"^(\S+ )*{name}( \S+)*:", makefile, re.MULTILINE), name
    known = {f"reproduce-{name}" for name in ("all", *(found.name for found in targets()))}
    assert set(re.findall(r"make (reproduce-[a-z]+(?:-[a-z]+)?)", README)) <= known
    commands = next(a for a in parser()._actions if a.dest == "command").choices
    assert set(re.findall(r"`moebench ([a-z]+)", README)) <= set(commands)
