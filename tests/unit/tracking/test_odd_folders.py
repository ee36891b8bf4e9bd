"""A folder whose name means something in a URI: its runs go into its own database."""

from pathlib import Path

import pytest

from moebench import tracking
from moebench.tracking import Wanted
from moebench.tracking.server import sqlite_path, sqlite_uri

from .fakes import FakeRun

NAMES = ["a?b", "a#b", "a%20b", "a b", "a%3Fb?mode=ro", "é", "file:x", "a&b=c;d+e"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_found_in_its_uri(name: str) -> None:
    path = Path("/somewhere") / name / "mlflow.db"
    assert sqlite_path(sqlite_uri(path)) == path


@pytest.mark.parametrize("name", NAMES[:4])
def test_runs_go_into_the_database_beside_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / name / "runs"
    FakeRun(root / "paper_2021" / "quick").end()
    (root / "paper_2021" / "quick" / "verdicts.json").write_text("[]")
    assert tracking.send(root) == tracking.Sent(new=1)
    assert [run.record.arm for run in tracking.logged(root, Wanted())] == ["switch"]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert {path.name for path in root.iterdir()} == {"mlflow.db", "mlartifacts", "paper_2021"}
    assert list(root.glob("mlartifacts/*/artifacts/verdicts.json"))
