"""What a person may get wrong on the command line and in files that need no training."""

import importlib
import io
import socket
import sys
from pathlib import Path

import pytest

import reproductions
from benchmarks.gpu import __main__ as gpu
from moebench.cli.guard import show_everything
from moebench.cli.main import COMMANDS, main

from .refusals import FILES, desk, refused

PAPERS = Path(__file__).parents[1] / "reproductions"
RECORDS = [name for name in FILES if name.endswith(".jsonl") and name != "broken.jsonl"]
CASES = {
    # arguments -> words of the line
    "reprodce tiny": "command=reprodce: unknown; the nearest: reproduce",
    "tiny": "tiny: is a paper; `moebench reproduce tiny` reproduces it",
    "help reprodce": "command=reprodce: unknown; the nearest: reproduce",
    "list more": "unrecognized arguments: more",
    "list --root a_file": "'a_file': is a file",
    "doctor --root a_file/inner": "a_file is a file",
    "reproduce": "required: target",
    "reproduce tiny --seeds x": "--seeds: invalid int value: 'x'",
    "reproduce all --records rows.jsonl": "--records: has the runs of one paper",
    "reproduce tiny --records nowhere": "'nowhere': no such file",
    "reproduce tiny --records list.jsonl": "list.jsonl:1: not a run record",
    "reproduce tiny --seeds 1.5": "--seeds: invalid int value",
    "reproduce tiny --seeds": "--seeds: expected one argument",
    "reproduce tiny --bogus": "unrecognized arguments: --bogus",
    "reproduce tyny": "target=tyny: unknown",
    "reproduce all --profile quik": "profile=quik: unknown; the nearest: quick",
    "reproduce tiny --data ''": "--data: is empty",
    "reproduce tiny --data nowhere": "--data: 'nowhere': no such file or folder",
    "reproduce tiny --field body": "field=body",
    "reproduce tiny --root ''": "--root: is empty",
    "reproduce tiny --root a_file": "--root: 'a_file': ",
    "reproduce tiny --device tpu": "--device: invalid choice: 'tpu'",
    "reproduce tiny --precision half": "--precision: invalid choice: 'half'",
    "verdict tyny": "target=tyny: unknown",
    "verdict tiny": "results.jsonl: no records; `make reproduce-tiny PROFILE=quick` makes them",
    "report tiny --profile quik": "profile=quik: unknown",
    "verdict tiny --root blank": "results.jsonl: no records; `make reproduce-tiny PROFILE=quick`",
    "report tiny --root blank": "results.jsonl: no records; `make reproduce-tiny PROFILE=quick`",
    "publish tiny --profile full": "no records; `make reproduce-tiny PROFILE=full` makes them",
    "publish tiny --profile quik": "profile=quik: unknown",
    "explain XX-01": "claim=XX-01: unknown",
    "explain TM26-01": "no such records",
    "explain TM26-01 --profile quik": "profile=quik: unknown",
    "rerun tiny switch_8 x": "seed: invalid int value: 'x'",
    "rerun tyny switch_8 0": "target=tyny: unknown",
    "rerun tiny switch_8 0": "no such records",
    "compare": "runs: neither a folder of runs nor a file of records",
    "compare --records nowhere": "nowhere: neither a folder",
    "compare --records ''": "--records: is empty",
    "compare --out a_file": "'a_file': ",
    "compare --target swep": "target=swep: unknown; the nearest: sweeps",
    "compare --target tiny --profile quik": "profile=quik: unknown; the nearest: quick",
    "compare --tag best": "tag=best: expected name=value",
    "compare --since yesterday": "since=yesterday: expected a day",
    "compare --since 2026-02-02 --until 2026-01-01": "is after until",
    "track": "no finished runs here",
    "cite tyny": "target=tyny: unknown; the nearest: tiny",
    "cite a_folder": "a_folder: has no record",
    "list --root gone": "the link gone leads nowhere",
    "fit --config /dev/null": "'/dev/null': is no regular file",
    "mlflow --port 0": "--port: 0: must be a whole number from 1 to 65535",
    "mlflow --port 70000": "--port: 70000: ",
    "mlflow --port x": "--port: x: ",
    "mlflow --root a_file": "'a_file': ",
    "sweep": "required: file",
    "sweep nowhere.yaml": "'nowhere.yaml': no such file",
    "sweep lst.yaml": "'lst.yaml': no such file; the nearest: list.yaml",
    "sweep a_folder": "'a_folder': is a folder",
    "sweep ''": "file: is empty",
    "data": "required: describe",
    "data nonsense": "invalid choice: 'nonsense'",
    "data describe --config nowhere.yaml": "'nowhere.yaml': no such file",
    "data describe --data ''": "--data: is empty",
    "data describe --vocabulary x": "--vocabulary: invalid int value",
    "data describe --vocabulary 4294967297": "data.vocabulary=4294967297: must be at most",
    "data describe --data a_file --source Packages": "not allowed with argument",
    "generate model": "required: --prompt",
    "generate '' --prompt a": "model: is empty",
    "generate nowhere --prompt a": "nowhere: no such file or folder",
    "analyze a_folder --source ''": "source: is empty",
    "generate a_folder --prompt a --tokens x": "--tokens: invalid int value",
    "generate a_folder --prompt a --device tpu": "--device: invalid choice",
    "analyze": "required: model",
    "analyze a_folder --data ''": "--data: is empty",
    "analyze a_folder --earlier nowhere": "'nowhere': no such file",
    "analyze a_folder --out a_file": "'a_file': ",
    "fit": "no configuration; `--config FILE` names one",
    "fit --trainer.max_steps=3": "no configuration",
    "fit --config": "--config: expected one argument",
    "fit --config nowhere.yaml": "'nowhere.yaml': no such file",
    "fit --config broke.yaml": "'broke.yaml': no such file; the nearest: broken.yaml",
    "fit --config a_folder": "'a_folder': is a folder",
    "fit --config ''": "--config: is empty",
    "fit --config list.yaml --data nowhere": "--data: 'nowhere': no such file",
    "fit --config list.yaml --field body": "field=body",
    "fit --config list.yaml --name ../up": "name=../up: becomes a folder",
    f"fit --config list.yaml --name {'x' * 300}": "name=xxxxxxxxxxxxxxxxxxxx...: becomes a folder",
    "fit --config list.yaml --root a_file": "'a_file': ",
    "fit --help=modle": "help=modle: no such key or part; the nearest: model",
    "fit list.yaml": "list.yaml: no option; `--config list.yaml` names a configuration",
    "fit --modle.x=3": "modle: no such key; the nearest: model",
    "fit --model=A --trainer.max_step=3": "trainer.max_step: no such key; the nearest",
    "fit --confg=x": "confg: no such key; the nearest: config",
}
GPU = {
    "": "required: --out",
    "--out here --minutes x": "--minutes: x: must be a number",
    "--out here --minutes nan": "--minutes: nan: ",
    "--out here --minutes 0": "--minutes: 0: ",
    "--out here --only parity,speed": "--only: speed: one or more of",
    "--out here --device tpu": "--device: invalid choice: 'tpu'",
    "--out '' --device cpu": "--out: is empty",
    "--out a_file --device cpu": "'a_file': ",
    "--out a_folder --device cpu --from nowhere": "--from: 'nowhere': no such file",
    "--out a_folder --device cpu --text nowhere": "--text: 'nowhere': no such file",
}


def words_of(line: str) -> list[str]:
    """The arguments of a line; '' is an empty one."""
    return ["" if word == "''" else word for word in line.split()]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with bad files, and one paper."""
    monkeypatch.setattr(reproductions, "__path__", [str(PAPERS)])
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    desk(tmp_path)
    (tmp_path / "gone").symlink_to("nowhere")
    return tmp_path


@pytest.mark.parametrize("line", CASES)
def test_a_mistake_is_told_in_one_line(line: str, capsys) -> None:
    told = refused(main, words_of(line), capsys)
    assert told.startswith("moebench: ")
    assert CASES[line] in told


@pytest.mark.parametrize("line", GPU)
def test_on_a_gpu_as_well(line: str, capsys) -> None:
    assert GPU[line] in refused(gpu.main, words_of(line), capsys)


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("command", ["verdict tiny", "publish tiny", "compare", "track"])
def test_a_file_of_records_that_is_none_is_named(
    name: str, command: str, here: Path, capsys
) -> None:
    """As what a profile left, or as what a run of it left."""
    inner = {"compare": "arm/seed_0/record.json", "track": "arm/seed_0/record.json"}
    path = here / "runs" / "tiny_2026" / "quick" / inner.get(command, "results.jsonl")
    path.parent.mkdir(parents=True)
    path.write_bytes(FILES[name])
    told = refused(main, command.split(), capsys)
    assert str(path.relative_to(here)) in told
    assert "Errno" not in told


@pytest.mark.parametrize("name", ["tags.json", "arm/seed_0/config.json"])
def test_what_lies_beside_records_is_named(name: str, here: Path, capsys) -> None:
    folder = here / "runs" / "tiny_2026" / "quick"
    (folder / "arm" / "seed_0").mkdir(parents=True)
    (folder / "arm" / "seed_0" / "record.json").write_text(
        FILES["half.jsonl"].decode().split("\n")[0]
    )
    (folder / name).write_text('{"arm": ')
    assert name in refused(main, ["compare"], capsys)


def test_a_port_that_is_taken(capsys) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        told = refused(main, ["mlflow", "--port", str(port)], capsys)
    assert f"port={port}: Address already in use" in told


@pytest.mark.parametrize("command", ["reproduce tiny", "fit --config list.yaml", "mlflow"])
def test_a_root_that_cannot_be_written_to(command: str, capsys, monkeypatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "cannot be written to" in refused(main, command.split(), capsys)


@pytest.mark.parametrize("number", ["abc", "0", "-1", "1.5", " "])
def test_a_number_of_threads_that_is_none(number: str, capsys, monkeypatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", number)
    assert f"OMP_NUM_THREADS={number}: must be a whole" in refused(main, ["list"], capsys)


def test_a_folder_that_somebody_has_removed(here: Path, capsys, monkeypatch) -> None:
    (here / "left").mkdir()
    monkeypatch.chdir(here / "left")
    (here / "left").rmdir()
    monkeypatch.setattr("sys.argv", ["moebench", "list"])
    assert main() == 2
    assert capsys.readouterr().err == (
        "moebench: the current folder has been removed; go to another one\n"
    )


def test_a_package_that_is_not_installed_is_named(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy", None)
    monkeypatch.setitem(COMMANDS, "list", lambda _: importlib.import_module("numpy"))
    assert "the package numpy is not installed" in refused(main, ["list"], capsys)


def test_letters_that_a_terminal_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="ascii"))
    show_everything()
    print("\N{MINUS SIGN}1", flush=True)
    assert written.getvalue() == b"\\u22121\n"


def test_output_that_nobody_wants(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python has no stdout where it was closed."""
    monkeypatch.setattr("sys.stdout", None)
    assert main(["list"]) == 0
    assert capsys.readouterr().err == ""


def test_output_that_finds_no_room(capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> int:
        raise OSError(28, "No space left on device", "runs/results.jsonl")

    monkeypatch.setattr("moebench.cli.main._run", lambda _: full())
    told = refused(main, ["verdict", "tiny"], capsys)
    assert told.startswith(
        "moebench: runs/results.jsonl: No space left on device; what is finished"
    )
