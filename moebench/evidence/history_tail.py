"""What is new in the history of a run that goes on."""

from pathlib import Path
from typing import Any

from moebench.evidence.record_files import history_lines, read_history


class Tail:
    """Reads a growing history; an incomplete last line is left for later.

    Whoever looks at many of them, again and again, need not read each from its beginning.
    A resumed worker truncates the file before it writes on: then it is read from the start again.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offset = 0
        self.last = b""  # line before the offset

    def read(self) -> list[bytes]:
        """Return the lines since the last `accept`."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self.offset - len(self.last))
            if file.read(len(self.last)) != self.last:
                self.offset, self.last = 0, b""
                file.seek(0)
            return [line for line in file if line.endswith(b"\n")]

    def accept(self, lines: list[bytes]) -> None:
        """Continue after these lines, just read, next time."""
        if lines:
            self.offset += sum(map(len, lines))
            self.last = lines[-1]

    def new_lines(self) -> list[dict[str, Any]]:
        """Return what the lines say that have come since the last call.

        Raises:
            ValueError: if a line cannot be read; names file and line.
        """
        lines = self.read()
        self.accept(lines)
        try:
            return history_lines(b"".join(lines), self.path)
        except ValueError:
            return read_history(self.path)  # which knows the number of the line
