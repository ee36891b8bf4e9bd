"""Records survive being written and read, even with a crash in between."""

import json
import os
import signal
import subprocess
import sys
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import read, read_one, write, write_all, write_whole

ROOT = Path(__file__).parents[3]


def record(**changes: Any) -> RunRecord:
    given = {"target": "paper_2021", "profile": "quick", "arm": "dense", "seed": 0}
    hashes = {"config_hash": "c0ffee", "commit": "abc"}
    return RunRecord(**{**given, "status": "finished", **hashes, **changes})


FULL = {
    "versions": {"torch": "2"},
    "hardware": {"cpu": "x", "cores": 2},
    "data_hash": "d",
    "steps": 400,
    "tokens": 819200,
    "params_total": 10,
    "params_active": 5,
    "flops_per_token": 12.5,
    "seconds": 8.0,
    "tokens_per_second": 102400.0,
    "peak_memory_bytes": 1 << 30,
    "planned": {"flops_per_token": 12.0},
    "claims": {"X-01": 2},
    "source": "5eed",
    "precision": "32-true",
    "config": {"model": {"sizes": [1, 2.5], "other": None, "deep": {"a": True}}},
    "metrics": {"valid/loss": 2.5, "valid/loss@50": 3.0},
}


def test_keys_of_a_record() -> None:
    assert " ".join(json.loads(record().to_json())) == (
        "target profile arm seed status config_hash commit versions hardware source precision "
        "data_hash data_version code steps tokens params_total params_active flops_per_token "
        "seconds tokens_per_second peak_memory_bytes planned leaks claims metrics config"
    )


def test_a_record_survives_writing_and_reading(tmp_path: Path) -> None:
    whole = record(**FULL)
    assert "\n" not in whole.to_json()
    assert RunRecord.from_json(whole.to_json()) == whole
    write(whole, tmp_path / "record.json")
    assert read(tmp_path / "record.json") == [whole]


def test_line_separators_inside_a_string_do_not_split_the_line(tmp_path: Path) -> None:
    odd = record(arm="a\u2028b\x85c", versions={"torch": "2\n3"})
    write(odd, tmp_path / "record.json")
    assert read(tmp_path / "record.json") == [odd]


def test_metrics_that_are_not_finite_are_left_out() -> None:
    line = record(metrics={"valid/loss": nan, "a": inf, "b": 1.0}).to_json()
    assert json.loads(line)["metrics"] == {"b": 1.0}


def test_other_numbers_must_be_finite() -> None:
    with pytest.raises(ValueError, match="seconds=nan: must be finite"):
        record(seconds=nan).to_json()


def test_a_configuration_may_have_any_number() -> None:
    config = {"clip": inf, "deep": [{"low": -inf}], "none": nan, "rate": 0.1}
    found = RunRecord.from_json(record(config=config).to_json()).config
    assert found == {"clip": "inf", "deep": [{"low": "-inf"}], "none": "nan", "rate": 0.1}


def test_the_time_of_a_step_excludes_validation() -> None:
    slowed = record(steps=4, tokens=800, tokens_per_second=100.0, seconds=60.0)
    assert slowed.seconds_per_step == 2.0


def test_an_older_record_can_be_read() -> None:
    """Missing fields are empty."""
    new = ("source", "precision", "config")
    line = {key: value for key, value in json.loads(record().to_json()).items() if key not in new}
    found = RunRecord.from_json(json.dumps(line))
    assert (found.source, found.precision, found.config) == ("", "", {})


def test_unknown_status_is_refused() -> None:
    with pytest.raises(ValueError, match="status=done: unknown; one of finished, diverged"):
        record(status="done")


def test_all_records_are_ordered_by_arm_and_seed(tmp_path: Path) -> None:
    given = [record(arm="b", seed=0), record(arm="a", seed=10), record(arm="a", seed=9)]
    write_all(given, tmp_path / "results.jsonl")
    found = [(one.arm, one.seed) for one in read(tmp_path / "results.jsonl")]
    assert found == [("a", 9), ("a", 10), ("b", 0)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{not json", "not a run record"),
        ("[1]", "expected a JSON object"),
        ('{"target": "x"}', "missing keys profile, arm, seed"),
        ('{"speed": 1}', "unknown keys speed"),
        (record(metrics={"a": 1.0}).to_json().replace("1.0", "NaN"), "NaN is not a JSON number"),
        (record().to_json().replace("finished", "done"), "status=done: unknown"),
        (record().to_json().replace('"seed": 0', '"seed": "0"'), "seed='0': wrong type"),
        (record().to_json().replace('"code": {}', '"code": null'), "code=None: wrong type"),
        (
            record(metrics={"a": 1.0}).to_json().replace("1.0", '"1"'),
            "metrics={'a': '1'}: wrong type",
        ),
        (record().to_json().replace('"config": {}', '"config": [1]'), r"config=\[1\]: wrong type"),
        (record(**FULL).to_json()[:-40], "not a run record"),  # cut in the middle
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(record().to_json() + "\n\n" + line + "\n")
    with pytest.raises(ValueError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "\n\n", "\n".join([record().to_json()] * 2)])
def test_a_run_has_one_record(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    with pytest.raises(ValueError, match=r"record\.json: has [02] run records, not one"):
        read_one(tmp_path / "record.json")


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_bytes(b"\xff\xfe\0")
    with pytest.raises(ValueError, match=r"record\.json: not run records: .*byte 0xff"):
        read(tmp_path / "record.json")


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.jsonl")


class Crash(BaseException):
    """The process ends here."""


def crash(*_: object, **__: object) -> None:
    raise Crash


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_crash_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = tmp_path / "results.jsonl"
    write_whole(path, "old\n")
    monkeypatch.setattr(*((os, "fsync", crash) if where == "fsync" else (Path, "replace", crash)))
    with pytest.raises(Crash):
        write_whole(path, "new, and longer\n")
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_what_they_may_read_of_any_file(tmp_path: Path) -> None:
    path, plain = tmp_path / "report.html", tmp_path / "plain.html"
    write_whole(path, "text")
    plain.write_text("text")
    assert path.stat().st_mode == plain.stat().st_mode


def test_a_kill_before_the_rename_leaves_the_old_file_whole(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    write_whole(path, "old\n")
    program = (
        "import os, pathlib, signal, sys\n"
        "from moebench.evidence.record_files import write_whole\n"
        "pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_whole(pathlib.Path(sys.argv[1]), 'new')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text() == "old\n"


def test_the_text_is_on_disk_before_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (order.append("fsync"), fsync(handle)))
    monkeypatch.setattr(Path, "replace", lambda *a: (order.append("replace"), replace(*a))[1])
    write_whole(tmp_path / "file", "text")
    assert order == ["fsync", "replace"]
