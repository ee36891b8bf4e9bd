"""A disk that is full in earnest: one line, no finished run lost, and the same command goes on."""

import logging
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from moebench.cli.guard import guarded
from moebench.cli.reproduce import ReproduceOptions, reproduce
from moebench.papers import Target
from moebench.papers.claim import Paper
from moebench.papers.plan import Arm, Plan, Profile
from moebench.papers.settings import NETWORK, SMOKE, VALID_BATCHES
from moebench.tracking import send

CONFIGS = Path(__file__).parents[1] / "configs" / "tiny_2026"
WIDTHS = {"narrow": 16, "wide": 256}  # checkpoints of some 1 MB, and of more than the disk
FILES = ["switch_8.yaml", "recall.yaml"]
SMALL = {
    **SMOKE,
    VALID_BATCHES: 1,
    "trainer.accelerator": "cpu",
    "data.init_args.batch_size": 2,
    f"{NETWORK}.shape.layers": 2,
}


def mount(folder: Path, options: str) -> str:
    """Mount a disk in memory; return why that is not possible, or nothing."""
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr
    except OSError as error:
        return str(error)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB, which not everybody may mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if why := mount(folder, "size=6m"):
        pytest.skip(f"no disk can be mounted here: {' '.join(why.split())}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def database(disk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The database of MLflow, with the disk to itself; the runs have another."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{disk / 'mlflow.db'}")
    return disk / "mlflow.db"


@pytest.fixture
def paper(tmp_path: Path) -> Target:
    """A paper of two arms, the first of which has room."""
    arms = [Arm(name, FILES, {f"{NETWORK}.shape.width": width}) for name, width in WIDTHS.items()]
    plan = Plan(arms, [Profile("smoke", list(WIDTHS), 1, SMALL)], {})
    about = Paper(key="p_2021", title="P", authors="A", year=2021, arxiv="")
    return Target(about, [], plan, CONFIGS, tmp_path / "results.jsonl")


def test_it_fills_while_a_run_is_saved(disk: Path, paper: Target, capfd) -> None:
    options = ReproduceOptions("smoke", root=disk / "runs", track=False)

    def command() -> int:
        reproduce(paper, options)
        return 0

    capfd.readouterr()
    assert guarded(command) == 2
    told = capfd.readouterr().err
    place = disk / "runs" / "p_2021" / "smoke"
    assert "Traceback" not in told
    assert told.endswith(
        f"moebench: {place / 'wide' / 'seed_0'}: No space left on device; what is finished is kept:"
        " make room, and the same command goes on\n"
    )
    made = place / "narrow" / "seed_0" / "record.json"
    before = made.stat().st_mtime_ns
    assert not list(place.glob("wide/**/*.ckpt"))
    assert not (place / "results.jsonl").exists()

    assert not mount(disk, "remount,size=100m")
    assert guarded(command) == 0
    assert made.stat().st_mtime_ns == before
    assert (place / "results.jsonl").read_text().count('"status": "finished"') == len(WIDTHS)


@pytest.mark.parametrize("room", ["300k", "900k"])  # less than its tables need, and hardly more
def test_it_fills_while_mlflow_writes(
    room: str, database: Path, paper: Target, tmp_path: Path, capfd, caplog
) -> None:
    plan = replace(paper.plan, arms=paper.plan.arms[:1])
    paper = replace(paper, plan=replace(plan, profiles=[Profile("smoke", ["narrow"], 2, SMALL)]))
    options = ReproduceOptions("smoke", root=tmp_path / "runs")
    assert not mount(database.parent, f"remount,size={room}")

    def command() -> int:
        reproduce(paper, options)
        return 0

    capfd.readouterr()
    assert guarded(command) == 0
    told = capfd.readouterr()
    assert "Traceback" not in told.err
    results = tmp_path / "runs" / "p_2021" / "smoke" / "results.jsonl"
    assert results.read_text().count('"status": "finished"') == 2
    # Tests before this one may have let libraries log more than warnings.
    [line] = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert line == (
        f"MLflow at sqlite:///{database} stopped answering ((sqlite3.OperationalError) database or "
        "disk is full); the files of the runs have everything, and `moebench track` sends what is "
        "missing"
    )

    assert not mount(database.parent, "remount,size=100m")
    assert send(options.root).new == 2
    assert [path.name for path in database.parent.iterdir()] == [database.name]
