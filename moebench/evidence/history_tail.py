"""What is new in the history of a run that goes on."""

from pathlib import Path
from typing import Any

from moebench.evidence.record_files import history_lines, read_history


class HistoryTail:
    """Reads a growing history, each line once: a driver looks at many of them, again and again.

    Args:
        path: of the history; the file need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0  # bytes, up to the end of a line

    def new_lines(self) -> list[dict[str, Any]]:
        """Return the lines since the last call.

        All are returned again once the file has been cut, as by a run that goes on from its
        checkpoint.

        Raises:
            ValueError: if a line cannot be read; names file and line.
        """
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < self._read:
            self._read = 0
        if size == self._read:
            return []
        with self.path.open("rb") as file:
            file.seek(self._read)
            added = file.read()
        before, self._read = self._read, self._read + added.rfind(b"\n") + 1
        try:
            return history_lines(added, self.path)
        except ValueError:
            if not before:
                raise
        return read_history(self.path)  # it was cut and has grown since: this began within a line
