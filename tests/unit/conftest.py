"""What tests of single parts share: what takes long and comes out the same is made once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from moebench.experiment import Experiment
from moebench.experiment.dense_twin import Twin, twin
from moebench.papers.plan import MatchedOn
from moebench.tracking.server import open_store


@pytest.fixture(scope="session")
def twins() -> Callable[[Experiment, MatchedOn], Twin]:
    """Solves for the twin of a mixture as `twin` does, and for the same one only once."""
    known: dict[tuple[str, str], Twin] = {}

    def solve(experiment: Experiment, matched_on: MatchedOn) -> Twin:
        key = (experiment.hash, matched_on)
        if key not in known:
            known[key] = twin(experiment, matched_on)
        return known[key]

    return solve


@pytest.fixture(autouse=True)
def sweeps_remember(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps are read some hundred times here, and most of them are over the same experiments.

    Whole commands load all of theirs, in tests/smoke.
    """
    if "sweep_file" in request.fixturenames:
        monkeypatch.setattr(
            "moebench.experiment.variations.load", request.getfixturevalue("remembered")
        )
        monkeypatch.setattr("moebench.sweeps.baselines.twin", request.getfixturevalue("twins"))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a run: it makes them by some dozens of migrations, for seconds."""
    root = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store(root)
    return root / "mlflow.db"


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs go to the database beside them, whatever the environment names."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture
def runs_root(tmp_path: Path, empty_database: Path, no_server: None) -> Path:
    """A folder of all runs with an MLflow database that has none yet."""
    root = tmp_path / "somebody's runs"
    root.mkdir()
    shutil.copy(empty_database, root)
    return root
