"""A folder whose name means something in a URI: its runs go into its own database."""

from pathlib import Path

import pytest

from moebench import tracking
from moebench.tracking import Wanted

from .fakes import FakeRun


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.parametrize("name", ["a#b c", "a?b", "a%20b", "50%", "\N{SNOWMAN}\n'\""])
def test_runs_go_into_the_database_beside_them(name: str, tmp_path: Path) -> None:
    root = tmp_path / name / "runs"
    FakeRun(root / "paper_2021" / "quick").end()
    (root / "paper_2021" / "quick" / "verdicts.json").write_text("[]")
    assert tracking.send(root) == tracking.Sent(new=1)
    assert [run.record.arm for run in tracking.logged(root, Wanted())] == ["switch"]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert {path.name for path in root.iterdir()} == {"mlflow.db", "mlartifacts", "paper_2021"}
    assert list(root.glob("mlartifacts/*/artifacts/verdicts.json"))
