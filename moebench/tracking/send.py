"""Sending later the runs that MLflow lacks because it was unreachable or not wanted."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from moebench.evidence.record import FIT
from moebench.evidence.record_files import arm_of, beside, files_of_runs, read_one
from moebench.evidence.result_files import RESULTS
from moebench.tracking.children import Archive, Partner
from moebench.tracking.independent_run import IndependentRun
from moebench.tracking.reproduction import Reproduction
from moebench.tracking.run_files import digest, text
from moebench.tracking.server import default_uri, open_store, reason, shown
from moebench.tracking.store import Store

CONCLUSIONS = ("verdicts.json", "sweep.json")  # what a folder ends with: one of these
RECORD = "record.json"
ARTIFACTS = (*RESULTS, "sweep.json", "plots")


@dataclass
class Sent:
    """Finished runs sent now, sent before, those of a deleted parent, and folders in use."""

    new: int = 0
    known: int = 0
    adopted: int = 0
    busy: int = 0

    def __str__(self) -> str:
        lost = f"; {self.adopted} had lost their parent and have a new one" if self.adopted else ""
        busy = f"; {self.busy} folders are in use and send their own" if self.busy else ""
        return f"{self.new} runs sent to MLflow, {self.known} were there already{lost}{busy}"


def send(
    root: Path, target: str = "", partners: Mapping[str, Mapping[str, Partner]] | None = None
) -> Sent:
    """Send the finished runs that MLflow does not have.

    Args:
        root: folder of all runs.
        target: only the runs of this one; empty for all.
        partners: target -> arm -> the dense arm it is compared with.

    Raises:
        FileNotFoundError: if there is no finished run.
        ValueError: naming a file of a run that cannot be read.
        ConnectionError: if MLflow does not answer, or stops on the way.
    """
    folders = sorted(root.glob(f"{target or '*'}/*/"))
    records = {path: folder for folder in folders for path in files_of_runs(folder, RECORD)}
    if not records:
        raise FileNotFoundError(f"{root / target}: no finished runs here")
    for path in records:  # before anything is sent: a bad record is no failure of MLflow
        read_one(path)
    store = open_store(root)
    counts = Sent()
    for folder in dict.fromkeys(records.values()):
        try:
            if folder.parent.name == FIT:
                _send_independent(store, folder, counts)
            else:
                _send_folder(store, folder, (partners or {}).get(folder.parent.name, {}), counts)
        except ValueError:  # of a file: that is no failure of MLflow
            raise
        except Exception as error:
            uri = shown(default_uri(root))
            raise ConnectionError(f"MLflow at {uri} failed ({reason(error)})") from error
    return counts


def _send_folder(store: Store, folder: Path, partners: Mapping[str, Partner], counts: Sent) -> None:
    """Send one `<root>/<target>/<profile>` and add to the counts."""
    with idle(folder, counts) as free:
        if not free:
            return
        archive = Archive(store, folder)
        new = _count(archive, files_of_runs(folder, RECORD), counts)
        counts.adopted += len(archive.orphans)
        if new or archive.running or archive.orphans:
            concluded = any((folder / name).exists() for name in CONCLUSIONS)
            reproduction = Reproduction(store, folder, {})
            files = [folder / name for name in ARTIFACTS]
            reproduction.close(partners, files, "FINISHED" if concluded else "KILLED")


def _send_independent(store: Store, folder: Path, counts: Sent) -> None:
    """Send the runs of a folder that belong to no reproduction, each by itself."""
    paths = [path.parent for path in files_of_runs(folder, "config.json")]
    for run in dict.fromkeys(folder / arm_of(path) / path.name for path in paths):
        with idle(beside(run), counts) as free:
            if free:
                sent = IndependentRun(store, run)
                _count(sent.archive, files_of_runs(folder, RECORD, **sent.which), counts)
                sent.close({}, [])


def _count(archive: Archive, records: Sequence[Path], counts: Sent) -> int:
    """Add records to the counts; return how many MLflow does not have."""
    new = sum(digest(text(path)) not in archive.sent for path in records)
    counts.new += new
    counts.known += len(records) - new
    return new


@contextmanager
def idle(folder: Path, counts: Sent) -> Iterator[bool]:
    """Take a lock; yield False and count where another process runs experiments under it."""
    folder.mkdir(exist_ok=True)  # of a lock that nobody has ever taken
    try:
        lock = FileLock(folder / ".lock", fallback_to_soft=False).acquire(blocking=False)
    except Timeout:
        counts.busy += 1
        yield False
    else:
        with lock:
            yield True
