"""What tests of the report share: one folder of runs and its page."""

from pathlib import Path

import pytest

from moebench import report

from .fakes import CLAIMS, GROUPS, HOSTILE, PAPER, VERDICTS, history, make, record


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [record(arm, seed) for arm in ("dense", "switch", HOSTILE) for seed in (0, 1)]
    records.append(record("switch", 2, status="diverged", metrics={}))
    histories = {
        ("dense", 0): history(),
        ("switch", 0): history(4),
        ("switch", 1): history(4, day=2),
    }
    return make(tmp_path_factory.mktemp("runs"), records, histories)


@pytest.fixture(scope="session")
def html(folder: Path) -> str:
    return report.render(folder, PAPER, CLAIMS, VERDICTS, GROUPS)
