"""Parts and papers of one's own, from a folder that nothing else knows of."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from moebench.cli.main import main
from moebench.cli.recipes import write
from moebench.evidence.record_files import read
from moebench.papers import targets
from moebench.run.fork_server import context

ROOT = Path(__file__).parents[2]
# As the installed commands do: Python puts neither the current folder on its path nor the tests'.
PYTEST = ["-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
RUFF = ["-m", "ruff"]
RULES = "E,F,W,I,D,ANN,B,UP,SIM,RUF,PT,RET,C4"
NAMES = [
    ("router", "coldest"),  # sorted before moebench
    ("router", "top2_of_8"),  # and behind it
    ("loss", "unequal"),
    ("data", "counting"),
    ("paper", "trial_2026"),
    ("paper", "a_paper_with_a_rather_long_name_2026"),
]


def run(arguments: list[str], folder: Path) -> str:
    """Return what a command prints that must succeed."""
    path = {"PYTHONPATH": str(ROOT), "MLFLOW_TRACKING_URI": ""}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that `moebench new` writes."""
    folder = tmp_path_factory.mktemp("of my own")
    for kind, name in NAMES:
        write(kind, name, folder)
    return folder


@pytest.fixture(scope="module")
def beside_moebench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a checkout, where moebench is no installed package and has rules of its own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("moebench", "pyproject.toml"):
        (folder / name).symlink_to(ROOT / name)
    for kind, name in NAMES:
        write(kind, name, folder)
    return folder


def test_the_tests_of_all_that_is_written_pass(written: Path) -> None:
    printed = run(PYTEST, written)
    assert " passed" in printed


def test_ruff_has_nothing_to_say_of_it(written: Path) -> None:
    for length in ("88", "100"):
        run([*RUFF, "format", "--isolated", "--check", f"--line-length={length}", "."], written)
    more = ["--config", "lint.pydocstyle.convention='google'", "--ignore", "ANN401,D107,E501"]
    run([*RUFF, "check", "--isolated", "--no-cache", "--select", RULES, *more, "."], written)


def test_it_keeps_the_rules_of_a_checkout(beside_moebench: Path) -> None:
    run([*RUFF, "format", "--check", "."], beside_moebench)
    run([*RUFF, "check", "--no-cache", "."], beside_moebench)
    # What it imports is not followed, which takes a minute; so the bases of its classes are Any.
    quick = ["--follow-imports=skip", "--allow-subclassing-any", "--no-incremental"]
    files = [str(path) for path in beside_moebench.rglob("*.py") if "test_" not in path.name]
    run(["-m", "mypy", "--explicit-package-bases", *quick, *files], beside_moebench)


def test_a_paper_is_reproduced_with_a_router_of_the_current_folder(written: Path) -> None:
    """Its runs are made by processes of their own."""
    config = written / "configs/trial_2026/mixture.yaml"
    text = config.read_text()
    ours = text.replace("class_path: Switch", "class_path: coldest.Coldest")
    assert ours != text
    config.write_text(ours)
    try:
        options = ["trial_2026", "--profile", "smoke", "--no-mlflow", "--workers", "2"]
        driver = context().Process(target=command_in, args=(written, ["reproduce", *options]))
        driver.start()
        driver.join()
        assert driver.exitcode == 0
    finally:
        config.write_text(text)
    records = read(written / "runs/trial_2026/smoke/results.jsonl")
    found = {record.arm: record for record in records}
    assert {record.status for record in records} == {"finished"}
    assert "coldest" in found["mixture"].code


def command_in(folder: Path, words: list[str]) -> None:
    """Run the command that is installed, in a folder; end with its status."""
    os.chdir(folder)
    sys.argv[1:] = words
    sys.exit(main())


def test_nothing_is_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "test_coldest.py").write_text("mine")
    assert main(["new", "router", "coldest"]) == 2
    assert "test_coldest.py: is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["test_coldest.py"]
    (tmp_path / "reproductions").mkdir()
    (tmp_path / "reproductions/__init__.py").write_text("mine")
    assert main(["new", "paper", "trial_2026"]) == 0
    assert (tmp_path / "reproductions/__init__.py").read_text() == "mine"
    assert "reproductions/trial_2026/paper.py" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("cold-est", "becomes the name of a module"),
        ("2cold", "becomes the name of a module"),
        ("../cold", "becomes the name of a module"),
        ("class", "becomes the name of a module"),
        ("", "becomes the name of a module"),
        ("random", "another module of that name"),
        ("torch", "another module of that name"),
        ("none", "its class would be called None"),
        ("value_error", "its class would be called ValueError"),
        ("switch", "moebench has a part Switch"),
        ("score", "its class would hide Score"),
        ("path", "its class would hide Path"),
        ("router_contract", "its class would hide RouterContract"),
        ("conftest", "pytest would take the module for tests"),
        ("test_cold", "pytest would take the module for tests"),
    ],
)
def test_a_name_that_no_module_can_have_is_refused(name: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^name={re.escape(name)}: .*{why}"):
        write("router", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_name_of_a_paper_is_refused(tmp_path: Path) -> None:
    found = targets()[0]
    for name in (found.folder, found.name.replace("-", "_")):
        with pytest.raises(ValueError, match=f"^name={name}: is the name of a paper already"):
            write("paper", name, tmp_path)
    assert not list(tmp_path.iterdir())
