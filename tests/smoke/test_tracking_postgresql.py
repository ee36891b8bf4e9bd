"""MLflow with its runs in PostgreSQL: what is read back from its tables, as from SQLite's."""

from pathlib import Path

import pytest

from moebench import tracking
from moebench.comparison import compare
from moebench.evidence.record import chooses
from moebench.evidence.record_files import write
from moebench.testing.verdicts import run
from moebench.tracking import Wanted

RUNS = [("dense", 1000, 3.0), ("sparse", 1000, 2.5), ("sparse", 0, 2.0), ("other", 0, 1.0)]


def test_both_databases_give_the_same(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs of a paper, and those of a search with its fresh seeds."""
    written = []
    for target, profile in (("paper", "quick"), ("sweeps", "mine")):
        for arm, seed, loss in RUNS:
            size = {"params_total": 10 if arm == "dense" else 40, "params_active": 10}
            record = run(arm, seed, loss, target=target, profile=profile, data_hash="d", **size)
            folder = tmp_path / target / profile / arm / f"seed_{seed}"
            folder.mkdir(parents=True)
            write(record, folder / "record.json")
            written.append(record)
            (folder / "config.json").write_text('{"data": {"class_path": "Text"}}')

    def sent() -> list[tracking.Logged]:
        tracking.send(tmp_path)
        runs = tracking.logged(tmp_path, Wanted())
        return sorted(runs, key=lambda run: (run.record.target, run.record.arm, run.record.seed))

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    usual = sent()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", postgresql)
    here = sent()
    assert len(here) == len(written)
    judging = [one for one in written if not chooses(one.target, one.seed)]
    assert all(one in [run.record for run in here] for one in judging)
    assert [(run.record, run.data) for run in here] == [(run.record, run.data) for run in usual]
    assert compare(here) == compare(usual)
    assert compare(here).count == 2
