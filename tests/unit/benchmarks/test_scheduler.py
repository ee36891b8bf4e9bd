"""What the benchmark of the scheduler measures, with few jobs."""

from pathlib import Path

import pytest

from benchmarks import scheduler
from benchmarks.scheduler import cost_of


def test_each_worker_that_becomes_free_starts_another_job(tmp_path: Path) -> None:
    cost = cost_of(6, 2, tmp_path)
    assert len(cost.gaps) == 4
    assert all(0 < gap < cost.seconds for gap in cost.gaps)
    assert 0 < cost.driver < cost.seconds


def test_too_few_jobs_have_no_quantiles(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.argv", ["benchmark", "--jobs", "4", "--workers", "2"])
    with pytest.raises(SystemExit):
        scheduler.main()
    assert "--jobs 4: must be 5 or more with this many workers" in capsys.readouterr().err
