"""Results of other runs are moved, not replaced."""

from collections.abc import Sequence
from pathlib import Path

from moebench.evidence.record import RunRecord
from moebench.evidence.record_files import EARLIER, read, write_all
from moebench.evidence.result_files import RESULTS
from moebench.run.earlier_results import set_aside
from moebench.testing.verdicts import run


def write(folder: Path, records: Sequence[RunRecord], verdicts: str = "[]") -> None:
    write_all(records, folder / RESULTS[0])
    (folder / RESULTS[1]).write_text(verdicts)


def of(data: str, *seeds: int) -> list[RunRecord]:
    source = {"class_path": "Files", "init_args": {"path": f"texts/{data}"}}
    config = {"data": {"class_path": "Text", "init_args": {"source": source}}}
    return [run("arm", seed, 3.0, data_hash=data, config=config) for seed in seeds]


def test_results_of_other_data_are_kept_under_the_name_of_theirs(tmp_path: Path) -> None:
    assert set_aside(tmp_path, of("mine", 0)) is None
    write(tmp_path, of("mine", 0, 1), "of mine")
    aside = set_aside(tmp_path, of("yours", 0))
    assert aside is not None
    assert aside.parent == tmp_path / EARLIER
    assert aside.name.startswith("mine-")
    assert read(aside / RESULTS[0]) == of("mine", 0, 1)
    assert (aside / RESULTS[1]).read_text() == "of mine"
    assert not list(tmp_path.glob("*.*"))


def test_back_and_forth_keeps_one_of_each(tmp_path: Path) -> None:
    for data in ("mine", "yours", "mine", "yours", "mine"):
        set_aside(tmp_path, of(data, 0))
        write(tmp_path, of(data, 0))
    assert sorted(path.name[:5] for path in (tmp_path / EARLIER).iterdir()) == ["mine-", "yours"]
    assert read(tmp_path / RESULTS[0]) == of("mine", 0)


def test_results_of_the_same_runs_are_replaced(tmp_path: Path) -> None:
    failed = run("arm", 2, 3.0, status="failed")
    write(tmp_path, [*of("mine", 0, 1), failed, run("gone", 0, 3.0)])
    assert set_aside(tmp_path, [*of("mine", 0, 1, 2), run("new", 0, 3.0)]) is None
