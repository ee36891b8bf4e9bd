"""One run to be made, and the folder that holds everything about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from moebench.experiment import Experiment
from moebench.records import RunRecord, read
from moebench.run.function import Function


@dataclass(frozen=True)
class Job:
    """One arm with one seed.

    The folder holds `config.yaml`, `config.json`, `history.jsonl`, `last.ckpt` while it trains,
    and `record.json` once it has ended; a file `prune` ends it early. A run that trains several
    seeds side by side leaves `records.jsonl` too, a record a seed; `record.json` is then their
    mean.
    """

    target: str
    profile: str
    arm: str
    seed: int
    experiment: Experiment | Function
    folder: Path
    keep_weights: bool = False  # last.ckpt after the end, as well
    planned: Mapping[str, float] = field(default_factory=dict)  # as of its record

    @property
    def record_path(self) -> Path:
        """Where the record is, once the run has ended."""
        return self.folder / "record.json"

    @property
    def records_path(self) -> Path:
        """Where the records of the single seeds are, if the run has several."""
        return self.folder / "records.jsonl"

    @property
    def history_path(self) -> Path:
        """Where the history is."""
        return self.folder / "history.jsonl"

    @property
    def checkpoint_path(self) -> Path:
        """Where the last checkpoint is."""
        return self.folder / "last.ckpt"

    @property
    def prune_path(self) -> Path:
        """A file whose presence ends the run as pruned."""
        return self.folder / "prune"

    def record(self) -> RunRecord | None:
        """Return the record of this very experiment, None where there is none."""
        if not self.record_path.exists():
            return None
        [record] = read(self.record_path)
        return record if record.config_hash == self.experiment.hash else None

    def records(self) -> list[RunRecord]:
        """Return a record a seed, none where the run has not ended."""
        record = self.record()
        if record is None:
            return []
        return read(self.records_path) if self.records_path.exists() else [record]

    def result(self) -> RunRecord | None:
        """Return the record, None where the run still has to be made.

        A failed run is made again; one that diverged or ran out of memory is a result.
        """
        record = self.record()
        return None if record is None or record.status == "failed" else record
