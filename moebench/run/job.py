"""One run to be made, and the folder that holds everything about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from moebench.experiment import Experiment
from moebench.experiment.stamp import NO_DATA
from moebench.records import RunRecord, identity, read, read_one
from moebench.run.function import Function
from moebench.run.machine import version


@dataclass(frozen=True)
class Job:
    """One arm with one seed.

    The folder holds `identity`, `config.yaml`, `config.json`, `history.jsonl`, `last.ckpt` while it
    trains, and `record.json` once it has ended; a file `prune` ends it early. A run that trains
    several seeds side by side leaves `records.jsonl` too, a record a seed; `record.json` is then
    their mean. Runs of other data, code or configuration lie beside it, see `moebench.run.place`.
    """

    target: str
    profile: str
    arm: str
    seed: int
    experiment: Experiment | Function
    folder: Path
    keep_weights: bool = False  # last.ckpt after the end, as well
    planned: Mapping[str, float] = field(default_factory=dict)  # as of its record
    seconds_unsaved: float = 0.0  # of training that a kill may cost beside the last stretch

    @property
    def identity(self) -> str:
        """What tells this run from others, the seed aside: configuration, data and code."""
        asked = self.experiment
        return identity(asked.hash, *asked.data, asked.code, version())

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
        """Return the record of this very run, None where there is none or it is of another one."""
        if not self.record_path.exists():
            return None
        record = read_one(self.record_path)
        return record if not self.differs(record) else None

    def differs(self, record: RunRecord) -> list[str]:
        """Return in what a record is of another run than this: nothing where it is of this one."""
        asked = self.experiment
        theirs = record.versions.get("moebench", "")
        found = [
            name
            for name, same in (
                ("configuration", record.config_hash == asked.hash),
                ("code", record.code == asked.code),
                ("version of moebench", theirs == version()),
            )
            if not same
        ]
        # Data are prepared to be compared: last, and not for a run that failed before it had any.
        if not (found or (record.status == "failed" and not record.data_hash)):
            same = (record.data_hash, record.data_version) == asked.data
            found += [] if same else ["data"]
        return found

    def prepared(self) -> "Job":
        """Return the job with its data known; what they refuse is left to the run to fail on."""
        asked = self.experiment
        if asked.known_data is not None or isinstance(asked, Function):
            return self
        try:
            return replace(self, experiment=replace(asked, known_data=asked.data))
        except Exception:  # whatever anybody's data module raises
            return self.unprepared()

    def unprepared(self) -> "Job":
        """Return the job without looking at its data: they are what is known, or none."""
        asked = self.experiment
        if asked.known_data is not None or isinstance(asked, Function):
            return self
        return replace(self, experiment=replace(asked, known_data=NO_DATA))

    def note_code(self) -> None:
        """Read the source files now; the run is refused if they are others by then."""
        _ = self.experiment.code, self.experiment.source

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
