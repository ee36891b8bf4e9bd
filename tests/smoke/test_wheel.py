"""What `pip install` brings works without a checkout, from any folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

import moebench
from moebench.evidence.record_files import read
from moebench.papers import Target, targets
from moebench.papers.home import find_config

ROOT = Path(__file__).parents[2]
FOLDERS, FILES = (
    ("moebench", "reproductions", "configs"),
    ("pyproject.toml", "README.md", "LICENSE"),
)
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--no-cache-dir"]
OFFLINE = ["--no-deps", "--no-index"]
PROGRAM = """
import sys

from moebench.cli.main import main

target, claim, config, sweep, checkout = sys.argv[1:]
assert main(["list"]) == 0
assert main(["reproduce", target, "--profile", "smoke", "--no-mlflow", "--workers", "1"]) == 0
assert main(["explain", claim]) == 0
assert main(["publish", target, "--profile", "smoke"]) == 2
assert main(["sweep", sweep, "--name", "a/b"]) == 2
try:
    main(["fit", "--config", config, "--print_config"])
except SystemExit as stop:
    assert not stop.code
ours = [one for name, one in sys.modules.items() if name.startswith(("moebench", "reproductions"))]
assert not [one for one in ours if (one.__file__ or "").startswith(checkout)]
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Return what a command printed that sees nothing of the checkout."""
    hidden = ("PYTHONPATH", "MLFLOW_TRACKING_URI")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: setuptools writes beside what it builds."""
    made = tmp_path_factory.mktemp("wheel")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, made)
    run(*PIP, "wheel", ".", *OFFLINE, "--no-build-isolation", "--wheel-dir", "out", cwd=made)
    [found] = (made / "out").iterdir()
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an environment that has the wheel, and what it needs."""
    made = tmp_path_factory.mktemp("environment")
    venv.create(made, symlinks=True)
    packages = {"base": str(made), "platbase": str(made)}
    own = Path(sysconfig.get_path("purelib", "venv", packages))
    (own / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    programs = Path(sysconfig.get_path("scripts", "venv", packages))
    run(*PIP, "--python", programs / "python", "install", *OFFLINE, wheel, cwd=made)
    return programs


def test_one_package_is_installed_with_papers_and_configurations_inside(wheel: Path) -> None:
    names = ZipFile(wheel).namelist()
    information = f"moebench-{moebench.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"moebench", information}
    assert f"{information}/licenses/LICENSE" in names
    assert not [name for name in names if Path(name).match("test_*.py")]
    inside = {name.removeprefix("moebench/_bundled/") for name in names if "_bundled" in name}
    kinds = (".csv", ".jsonl", ".md", ".py", ".yaml")
    checkout = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS[1:]
        for path in (ROOT / folder).rglob("*")
        if path.suffix in kinds and not path.name.startswith(("test_", "benchmark."))
    }
    assert inside == checkout


def size(found: Target) -> int:
    """How much there is to do in the smoke profile of a paper."""
    smoke = found.plan.profile("smoke")
    computed = found.plan.computed if smoke.computed is None else smoke.computed
    return 100 * len(smoke.sweeps) + 10 * len(smoke.arms) + len(computed)


def test_commands_work_without_a_checkout(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    asked = f"moebench {moebench.__version__}\n"
    assert run(installed / "moebench", "--version", cwd=tmp_path) == asked
    assert run(installed / "python", "-m", "moebench", "--version", cwd=tmp_path) == asked
    (tmp_path / "reproductions" / "mine_2026").mkdir(parents=True)
    (tmp_path / "reproductions" / "mine_2026" / "paper.py").write_text("PAPER = half\n")
    found = min(targets(), key=size)
    [sweep, *_] = sorted(Path("configs/sweeps").glob("*.yaml"))
    config = next(p for p in Path("configs").rglob("*.yaml") if "reproductions." in p.read_text())
    given = (found.name, found.claims[0].key, str(config), str(sweep), str(ROOT))
    printed = run(installed / "python", "-c", PROGRAM, *given, cwd=tmp_path)
    assert f"moebench reproduce {found.name} --profile {{smoke" in printed
    assert "make reproduce" not in printed
    assert "left out: reproductions/mine_2026: NameError" in printed
    assert f"{found.name}: comes with the installed moebench, where nothing can be" in printed
    assert "name=a/b: names a folder" in printed
    records = read(tmp_path / "runs" / found.folder / "smoke" / "results.jsonl")
    assert {record.commit for record in records} == {""}
    assert {record.status for record in records} == {"finished"}
    assert any(name.startswith("reproductions.") for name in records[0].code)
    assert "class_path: reproductions." in printed


def test_a_configuration_of_ones_own_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [sweep, *_] = sorted((ROOT / "configs" / "sweeps").glob("*.yaml"))
    name = f"configs/sweeps/{sweep.name}"
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == str(sweep)
    assert find_config("configs/nothing.yaml") == "configs/nothing.yaml"
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()
    assert find_config(name) == name


def test_citation_and_changelog_are_of_this_version() -> None:
    assert f"\nversion: {moebench.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {moebench.__version__} " in (ROOT / "CHANGELOG.md").read_text()
