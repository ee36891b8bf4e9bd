"""Whatever stands in a configuration or on a command line: it works, or is refused in one line."""

import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import reproductions
from moebench.cli.main import main
from moebench.data.sources import Packages
from moebench.experiment import parse
from moebench.run.check import checked

TESTS = Path(__file__).parents[1]
FEW = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
VALUES = st.sampled_from(
    [
        *(None, True, -1, 0, 1, 3, 10**30, -(10**30), 0.5, 1e30, math.nan, math.inf, -math.inf),
        *("", "x", "1", "a b", "../x", "\0", "é", "Switch", "torch.nn.Linear", "os.getcwd", "a.b"),
        *([], [1], [None], ["x"], {}, {"x": 1}, {1: 2}, {"class_path": 3}, {"init_args": {}}),
        *({"class_path": "Switch"}, {"class_path": "Text", "init_args": {"x": 1}}),
    ]
)
COMMANDS = (
    *("reproduce", "sweep", "verdict", "report", "publish", "explain", "rerun", "compare"),
    *("analyze", "data", "generate", "track", "mlflow", "list", "fit"),
)
WORDS = (
    *("tiny", "all", "describe", "TM26-01", "switch_8", "0", "-1", "1e9", "10" * 20, "", " ", "--"),
    *("--profile", "--seeds", "--workers", "--data", "--field", "--root", "--name", "--device"),
    *("--precision", "--config", "--port", "--records", "--since", "--tag", "--out", "--prompt"),
    *("--tokens", "--length", "--source", "--earlier", "--metric", "--all", "--no-mlflow", "--x"),
    *(
        "a_file",
        "a_folder",
        "nowhere",
        "binary",
        "list.yaml",
        "base.yaml",
        "=",
        "é",
        "\0",
        "[",
        "{",
    ),
    *("--model.warmup_steps", "--trainer.max_steps=3", "--seed_everything", "--data.length=-1"),
)


def base() -> dict[str, Any]:
    """A small experiment in a world that needs no text."""
    merged: dict[str, Any] = {}
    for name in ("switch_8", "recall"):
        for key, value in yaml.safe_load(
            (TESTS / "configs/tiny_2026" / f"{name}.yaml").read_text()
        ).items():
            merged[key] = {**merged.get(key, {}), **value}
    merged["data"]["init_args"] |= {"batch_size": 2, "valid_batches": 1}
    merged["trainer"] = {"max_steps": 2, "val_check_interval": 1, "accelerator": "cpu"}
    return merged


def places(content: Any, before: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every path of a configuration, and in each map one to a key that is not there."""
    inner = content.items() if isinstance(content, dict) else enumerate(content)
    found = [(*before, "odd")] if isinstance(content, dict) else []
    for key, value in inner:
        found.append((*before, key))
        if isinstance(value, dict | list):
            found += places(value, (*before, key))
    return found


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with little in it, one paper, and nothing that takes long."""
    monkeypatch.setattr(reproductions, "__path__", [str(TESTS / "reproductions")])
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    Path("a_folder").mkdir()
    Path("a_file").write_text("text\n" * 9)
    Path("binary").write_bytes(bytes(range(256)))
    Path("list.yaml").write_text("- 3\n")
    Path("base.yaml").write_text(yaml.safe_dump(base()))

    def long(*_: object, **__: object) -> None:
        raise ValueError("would take long")

    for name in ("moebench.cli.reproduce.reproduce", "moebench.cli.fit.run_tracked"):
        monkeypatch.setattr(name, long)
    monkeypatch.setattr("moebench.sweeps.search", long)
    monkeypatch.setattr("subprocess.call", long)
    monkeypatch.setattr(Packages, "documents", long)


@FEW
@given(place=st.sampled_from(places(base())), value=VALUES)
def test_a_configuration(place: tuple[Any, ...], value: Any) -> None:
    config = base()
    inner: Any = config
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    Path("mine.yaml").write_text(yaml.safe_dump(config))
    try:
        checked(parse(["--config=mine.yaml"]))
    except (ValueError, OSError):
        return


@FEW
@given(command=st.sampled_from(COMMANDS), words=st.lists(st.sampled_from(WORDS), max_size=5))
def test_a_command_line(command: str, words: list[str]) -> None:
    assert main([command, *words]) in (0, 2)
