"""What tests of tracking share: a folder of runs that is not the current one."""

from pathlib import Path

import pytest


@pytest.fixture
def root(tmp_path: Path, runs_root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of all runs; the current directory is another one."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return runs_root
