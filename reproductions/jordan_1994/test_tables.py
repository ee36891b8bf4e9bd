"""The paper's tables with our figures beside its own."""

from moebench.evidence.record import RunRecord
from moebench.testing.verdicts import run
from reproductions.jordan_1994.plan import SYSTEMS
from reproductions.jordan_1994.tables import tables


def ended(seed: int, error: float, failed: float = 0.0) -> RunRecord:
    found = {"relative_error": error, "epochs": 30.0 + seed, "seconds": 2.0, "failed": failed}
    return run("hme_em", seed, metrics=found)


def test_failed_runs_are_counted_and_left_out() -> None:
    [table] = tables([ended(0, 0.1), ended(1, 0.2), ended(2, 9.0, failed=1.0)])
    rows = {row[0]: list(row[1:]) for row in table.rows}
    assert set(rows) == set(SYSTEMS)
    assert all(len(row) == len(table.head) for row in table.rows)
    ours = ["0.1500 ± 0.0707", "35", "30 ± 1", "1 of 3", "2.0 ± 0.0"]
    assert rows["hme_em"] == ["hierarchy, algorithm 1", "0.10", *ours]
    assert rows["linear"] == ["linear", "0.31", "–", "1", "–", "0 of 0", "–"]
