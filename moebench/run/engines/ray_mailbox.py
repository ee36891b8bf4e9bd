"""What comes back from runs on a Ray cluster, and what they are told: through one actor.

It lives on the head node, with which all would be gone anyway. Nodes send what their files have
grown by, and the driver fetches it; nothing needs a folder that both can see.
"""

from pathlib import Path
from typing import NamedTuple

PRUNE, CANCEL = "prune", "cancel"  # what a run can be told


class Began(NamedTuple):
    """A run has begun on a node, for the first time or again."""

    key: str
    node: str
    goes_on: bool  # from a checkpoint


class Piece(NamedTuple):
    """What a file of a run has from a position on; all that it had there before is gone."""

    key: str
    file: str
    start: int
    content: bytes

    def write(self, path: Path) -> None:
        """Bring a copy of the file up to date."""
        with path.open("r+b" if path.exists() else "wb") as file:
            file.seek(self.start)
            file.write(self.content)
            file.truncate()


class Mailbox:
    """The actor. A run has a key; each attempt of Ray's at it has a name of its own."""

    def __init__(self) -> None:
        self._news: list[Began | Piece] = []
        self._attempts: dict[str, str] = {}  # key -> the latest
        self._wishes: dict[str, str] = {}

    def begin(self, attempt: str, began: Began) -> None:
        """Note an attempt; earlier ones of the same run are not heard any more."""
        self._attempts[began.key] = attempt
        self._news.append(began)

    def post(self, attempt: str, key: str, pieces: list[Piece]) -> str:
        """Take what is new of a run; return what it is told, empty for nothing."""
        if self._attempts[key] != attempt:
            return CANCEL
        self._news += pieces
        return self._wishes.get(key, "")

    def tell(self, key: str, wish: str) -> None:
        """Leave a run a word, which it gets when it next sends something."""
        self._wishes[key] = wish

    def take(self) -> list[Began | Piece]:
        """Return what has come since the last call."""
        news, self._news = self._news, []
        return news


class Growing:
    """A file of lines that a worker writes, read by what it has grown.

    Args:
        path: it need not exist yet.
        key: of the run.
    """

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        self._sent = 0
        self._last = b""  # line that was sent

    def new(self) -> list[Piece]:
        """Return the new lines; all of them if the file was cut, as on going on from a checkpoint.

        A file that was cut may be longer than before by now: its last line tells.
        """
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            file.seek(self._sent - len(self._last))
            if file.read(len(self._last)) != self._last:
                self._sent = 0
                file.seek(0)
            lines = file.read().splitlines(keepends=True)
        complete = [line for line in lines if line.endswith(b"\n")]
        if not complete:
            return []
        content, start = b"".join(complete), self._sent
        self._sent, self._last = start + len(content), complete[-1]
        return [Piece(self.key, self.path.name, start, content)]
