"""An object in a process of its own: answers and errors come back, and so does its end."""

import os
from pathlib import Path

import pytest

from moebench.run.engines import EngineGoneError
from moebench.run.engines.own_process import OwnProcess

GONE = "it is gone"


@pytest.fixture
def path() -> OwnProcess[Path]:
    """A path, of all things."""
    return OwnProcess(Path, "/tmp", "..", gone=GONE)


def test_answers_and_errors_come_back(path: OwnProcess[Path], tmp_path: Path) -> None:
    assert path.call(Path.resolve) == Path("/")
    assert path.call(Path.joinpath, "etc") == Path("/tmp/../etc")
    with pytest.raises(FileNotFoundError):
        path.call(Path.rename, tmp_path / "none" / "none")
    assert path.call(Path.is_dir)
    path.close()


def test_an_object_that_cannot_be_made() -> None:
    with pytest.raises(TypeError):
        OwnProcess(Path, 1, gone=GONE)


def test_a_process_that_is_gone_is_told_in_words(path: OwnProcess[Path]) -> None:
    os.kill(path._process.pid, 9)
    for _ in range(2):
        with pytest.raises(EngineGoneError, match=f"^{GONE}$"):
            path.call(Path.exists)
    path.close()
    with pytest.raises(EngineGoneError, match=f"^{GONE}$"):
        OwnProcess(os._exit, 3, gone=GONE)


def test_it_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    loud = OwnProcess(os.popen, "echo out; echo err >&2", gone=GONE)
    loud.close()
    assert capfd.readouterr() == ("", "")
