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
from moebench.evidence.record import RunRecord
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
# One process, which finds modules as the installed command does: -P keeps the current folder out.
PROGRAM = """
import sys

from moebench.cli.main import main


def command(*words):
    sys.argv[1:] = words
    return main()


if __name__ == "__main__":
    target, claim, config, sweep, checkout = sys.argv[1:]
    quick = ("--no-mlflow", "--workers", "1")
    assert command("list") == 0
    assert command("reproduce", target, "--profile", "smoke", *quick) == 0
    assert command("explain", claim) == 0
    assert command("publish", target, "--profile", "smoke") == 2
    assert command("reproduce", "own_2026", "--profile", "smoke", *quick) == 0
    assert command("publish", "own_2026", "--profile", "smoke") == 0
    assert command("sweep", sweep, "--name", "a/b") == 2
    assert command("new", "router", "mine") == 0
    assert command("fit", "--config", "mine.yaml", "--config", "short.yaml", "--no-mlflow") == 0
    assert command("sweep", "search.yaml", *quick) == 0
    try:
        command("fit", "--config", config, "--print_config")
    except SystemExit as stop:
        assert not stop.code
    ours = {n: m for n, m in sys.modules.items() if n.startswith(("moebench", "reproductions"))}
    assert not [n for n, module in ours.items() if (module.__file__ or "").startswith(checkout)]
"""
SHORT = """
trainer: {max_steps: 1, val_check_interval: 1}
data:
  class_path: Synthetic
  init_args: {world: Uniform, vocabulary: 64, length: 4, batch_size: 2, valid_batches: 1}
"""
SEARCH = """
experiment: [mine.yaml, short.yaml]
space:
  balance weight: {key: model.losses.0.weight, values: [0.01]}
objectives: {valid/loss: minimize}
sampler: GridSampler
fresh_seeds: 0
baselines: []
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
    kinds = (".csv", ".jsonl", ".md", ".py", ".svg", ".yaml")
    checkout = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS[1:]
        for path in (ROOT / folder).rglob("*")
        if path.suffix in kinds and not path.name.startswith(("test_", "benchmark."))
    }
    assert inside == checkout


def read_one_by_one(folder: Path) -> list[RunRecord]:
    """The records of the runs in a folder, each from its own file."""
    return [record for path in folder.rglob("record.json") for record in read(path)]


def size(found: Target) -> int:
    """How much there is to do in the smoke profile of a paper."""
    smoke = found.plan.profile("smoke")
    computed = found.plan.computed if smoke.computed is None else smoke.computed
    return 100 * len(smoke.sweeps) + 10 * len(smoke.arms) + len(computed)


def write_own_paper(installed: Path, folder: Path) -> Path:
    """Write a paper that has one function to compute; return its folder."""
    run(installed / "moebench", "new", "paper", "own_2026", cwd=folder)
    paper = folder / "reproductions" / "own_2026"
    (paper / "sums.py").write_text('def sums():\n    return {"one": 1.0}\n')
    computed = 'computed={"sums": "reproductions.own_2026.sums:sums"},\n    profiles=['
    plan = (paper / "plan.py").read_text().replace("profiles=[", computed)
    (paper / "plan.py").write_text(plan.replace('Profile("smoke", ARMS', 'Profile("smoke", []'))
    return paper


def test_commands_work_without_a_checkout(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user's paper joins those of the wheel; its function, too, in a worker, whose path differs.

    One process runs the commands: each of its own would import torch and start a server of workers.
    """
    monkeypatch.chdir(ROOT)
    asked = f"moebench {moebench.__version__}\n"
    assert run(installed / "moebench", "--version", cwd=tmp_path) == asked
    assert run(installed / "python", "-m", "moebench", "--version", cwd=tmp_path) == asked
    (tmp_path / "short.yaml").write_text(SHORT)
    (tmp_path / "search.yaml").write_text(SEARCH)
    own_paper = write_own_paper(installed, tmp_path)
    (tmp_path / "reproductions" / "mine_2026").mkdir()
    (tmp_path / "reproductions" / "mine_2026" / "paper.py").write_text("PAPER = half\n")
    found = min(targets(), key=size)
    [sweep, *_] = sorted(Path("configs/sweeps").glob("*.yaml"))
    config = next(p for p in Path("configs").rglob("*.yaml") if "reproductions." in p.read_text())
    given = (found.name, found.claims[0].key, str(config), str(sweep), str(ROOT))
    printed = run(installed / "python", "-P", "-c", PROGRAM, *given, cwd=tmp_path)
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
    [computed] = read(tmp_path / "runs" / "own_2026" / "smoke" / "results.jsonl")
    assert (computed.arm, computed.status) == ("sums", "finished")
    assert read(own_paper / "results.jsonl") == [computed]
    [trained] = read_one_by_one(tmp_path / "runs" / "fit")
    [trial] = read_one_by_one(tmp_path / "runs" / "sweeps")
    assert {trained.status, trial.status} == {"finished"}
    assert "mine" in trained.code


def test_a_user_configuration_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
