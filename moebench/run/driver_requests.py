"""What the driver of a folder of runs is asked for from another terminal, by a word in a file."""

import time
from collections.abc import Mapping
from pathlib import Path

from moebench.evidence.record_files import write_whole
from moebench.run.sole_user import holder_of

WORD = ".asked"  # file beside the lock of the driver
SECONDS = 60.0  # for a driver to stop
PAUSE, RESUME, STOP = "pause", "resume", "stop"
ANSWERS: Mapping[str, str] = {
    PAUSE: "starts no more runs, and those under way finish; --resume lets it go on",
    RESUME: "goes on",
    STOP: "has stopped; the same command goes on from the checkpoints",
}


def ask_driver(folder: Path, word: str, seconds: float = SECONDS) -> str:
    """Ask the driver of a folder of runs for something; say in one line what comes of it.

    Args:
        folder: of the runs.
        word: a key of ANSWERS.
        seconds: to wait for a driver that is asked to stop.

    Raises:
        ValueError: if nobody drives it.
    """
    if not (driver := holder_of(folder)):
        raise ValueError(f"{folder}: no process runs experiments here")
    write_whole(folder / WORD, word)
    deadline = time.monotonic() + seconds
    while word == STOP and holder_of(folder) == driver:
        if time.monotonic() > deadline:
            return f"{folder}: {driver} was asked to stop, and has not yet"
        time.sleep(0.1)
    return f"{folder}: {driver} {ANSWERS[word]}"


def take_word(folder: Path) -> str:
    """Return what is asked for now, and forget it; empty for nothing."""
    try:
        word = (folder / WORD).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    (folder / WORD).unlink()
    return word
