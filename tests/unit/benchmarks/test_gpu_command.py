"""The command line of the GPU minutes: what is refused takes one line and status 2."""

from pathlib import Path

import pytest
import torch

from benchmarks.gpu.__main__ import STAGES, main, parser
from benchmarks.gpu.packages import NEEDED


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--out"),
        (["--out", "x", "--minutes", "0"], "--minutes: 0: must be a number of at least 0.1"),
        (["--out", "x", "--minutes", "soon"], "--minutes: soon: must be a number"),
        (["--out", "x", "--only", "parity,speed"], "--only: speed: one or more of parity, layer"),
        (["--out", "x", "--device", "tpu"], "--device"),
        (["--out", "x", "--elsewhere"], "unrecognized arguments: --elsewhere"),
    ],
)
def test_a_wrong_argument_takes_one_line(arguments: list[str], told: str, capsys) -> None:
    assert told in refused(arguments, capsys)


def refused(arguments: list[str], capsys) -> str:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def test_without_a_gpu_a_small_test_runs(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "--device cpu" in refused(["--out", str(tmp_path / "out")], capsys)
    assert not (tmp_path / "out").exists()


def test_missing_packages_are_named(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(NEEDED, "a-kernel", "no_such_module")
    said = refused(["--out", str(tmp_path / "out"), "--device", "cpu"], capsys)
    assert "not installed: a-kernel; benchmarks/gpu/wheels.sh" in said


@pytest.mark.parametrize("option", ["--from", "--text"])
def test_missing_paths_are_named(tmp_path: Path, option: str, capsys) -> None:
    gone = str(tmp_path / "gone")
    said = refused(["--out", str(tmp_path / "o"), "--device", "cpu", option, gone], capsys)
    assert option in said
    assert gone in said


def test_a_folder_of_another_version_is_refused(tmp_path: Path, capsys) -> None:
    (tmp_path / "items.jsonl").write_text('{"format": 0}\n')
    assert "items.jsonl:1" in refused(["--out", str(tmp_path), "--device", "cpu"], capsys)


def test_the_most_valuable_stages_run_first() -> None:
    options = parser().parse_args(["--out", "x", "--only", "evidence,parity"])
    assert options.only == ["parity", "evidence"]
    assert parser().parse_args(["--out", "x"]).only == list(STAGES)
