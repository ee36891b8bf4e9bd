"""One run to execute, and the folder that holds everything about it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from moebench import __version__
from moebench.evidence.record import RunRecord, identity
from moebench.evidence.record_files import read, read_one
from moebench.experiment import Experiment
from moebench.experiment.device_options import devices_of
from moebench.experiment.stamp import NO_DATA
from moebench.run.function import Function


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
    keep_weights: bool = False  # keep last.ckpt once the run has ended
    planned: Mapping[str, float] = field(default_factory=dict)  # as of its record
    claims: Mapping[str, int] = field(default_factory=dict)  # as of its record
    seconds_unsaved: float = 0.0  # of training that a kill may cost beside the last stretch

    @property
    def identity(self) -> str:
        """What identifies this run, apart from its seed: configuration, data and code."""
        asked = self.experiment
        return identity(asked.hash, *asked.data, asked.code, __version__)

    @property
    def devices(self) -> int:
        """How many devices train it together."""
        return devices_of(self.experiment.config.get("trainer", {}))

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
        """Return the record of this run; None if there is none or it is that of a different run."""
        if not self.record_path.exists():
            return None
        record = read_one(self.record_path)
        return record if not self.differs(record) else None

    def differs(self, record: RunRecord) -> list[str]:
        """Return in what the run of a record differs from this one; empty if it is this one."""
        asked = self.experiment
        theirs = record.versions.get("moebench", "")
        found = [
            name
            for name, same in (
                ("configuration", record.config_hash == asked.hash),
                ("code", record.code == asked.code),
                ("version of moebench", theirs == __version__),
            )
            if not same
        ]
        # Comparing data prepares them: this comes last, and not for a run that failed without any.
        if not (found or (record.status == "failed" and not record.data_hash)):
            same = (record.data_hash, record.data_version) == asked.data
            found += [] if same else ["data"]
        return found

    def prepared(self) -> "Job":
        """Return the job with its data known; if they cannot be prepared, the run will fail."""
        asked = self.experiment
        if asked.known_data is not None or isinstance(asked, Function):
            return self
        try:
            return replace(self, experiment=replace(asked, known_data=asked.data))
        except Exception:  # a custom data module may raise anything
            return self.unprepared()

    def unprepared(self) -> "Job":
        """Return the job without preparing its data: those already known, or none."""
        asked = self.experiment
        if asked.known_data is not None or isinstance(asked, Function):
            return self
        return replace(self, experiment=replace(asked, known_data=NO_DATA))

    def note_code(self) -> None:
        """Read the source files now; the run is refused if they have changed when it starts."""
        _ = self.experiment.code, self.experiment.source

    def records(self) -> list[RunRecord]:
        """Return one record per seed; none if the run has not ended."""
        record = self.record()
        if record is None:
            return []
        return read(self.records_path) if self.records_path.exists() else [record]

    def result(self) -> RunRecord | None:
        """Return the record; None if the run is still to do.

        A failed run is repeated; running out of memory or time is a result, as is divergence.
        """
        record = self.record()
        return None if record is None or record.status == "failed" else record
