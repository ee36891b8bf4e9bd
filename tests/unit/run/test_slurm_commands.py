"""What Slurm's commands print is read as it is meant."""

import os
from pathlib import Path

import pytest

from moebench.run.engines.slurm_commands import (
    YEAR,
    Nodes,
    Partition,
    Place,
    cancel,
    partitions,
    places,
)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Puts a program on the path that prints, and may fail."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)

    def write(name: str, out: str = "", error: str = "", code: int = 0) -> Path:
        path = tmp_path / name
        text = f"cat <<'END'\n{out}END\necho '{error}' >&2\necho $* > {path}.called\nexit {code}\n"
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)
        return path.with_name(f"{name}.called")

    return write


def test_partitions_have_their_limits_and_nodes(command) -> None:
    command(
        "sinfo",
        "debug|1|4|(null)|8000|n/a|30:00\n"
        "main*|3|64|gpu:a100:4(S:0-1),shard:16|512000|1-12:00:00|2-00:00:00\n"
        "main*|2|32|(null)|128000|1-12:00:00|2-00:00:00\n"
        "long|1|8|gpu:2,gpu:t4:1|16000|n/a|infinite\n",
    )
    assert partitions() == [
        Partition(
            "main", 2160, 2880, (Nodes(3, 64, 4, 512000 / 1024), Nodes(2, 32, 0, 128000 / 1024))
        ),
        Partition("debug", 30, 30, (Nodes(1, 4, 0, 8000 / 1024),)),
        Partition("long", YEAR, YEAR, (Nodes(1, 8, 3, 16000 / 1024),)),
    ]


def test_jobs_are_where_they_are(command) -> None:
    command("squeue", "5_0|RUNNING|n1|None\n7|PENDING||Nodes required | down\n8|TIMEOUT|n2|None\n")
    found = places()
    assert found == {
        "5_0": Place("RUNNING", "n1", "None"),
        "7": Place("PENDING", "", "Nodes required | down"),
        "8": Place("TIMEOUT", "n2", "None"),
    }
    assert [(place.waits, place.ended) for place in found.values()] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_several_are_cancelled_by_one_command_and_none_by_no_command(command) -> None:
    called = command("scancel")
    cancel([])
    assert not called.exists()
    cancel(["5_0", "7"])
    assert called.read_text() == "--quiet 5_0 7\n"


def test_a_command_that_fails_tells_why(command) -> None:
    command("sinfo", error="slurm_load_partitions: Unable to contact slurm controller", code=1)
    with pytest.raises(ConnectionError, match=r"does not answer sinfo: .*Unable to contact"):
        partitions()
