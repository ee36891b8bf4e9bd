"""Requests to the driver of a folder of runs from another terminal, each a word in a file."""

import time
from collections.abc import Mapping
from pathlib import Path

from moebench.evidence.record_files import write_whole
from moebench.run.sole_user import holder_of

REQUEST = ".request"  # file beside the lock of the driver
SECONDS = 60.0  # for a driver to stop
PAUSE, RESUME, STOP = "pause", "resume", "stop"
ANSWERS: Mapping[str, str] = {
    PAUSE: "starts no more runs, and those under way finish; --resume lets it go on",
    RESUME: "goes on",
    STOP: "has stopped; the same command goes on from the checkpoints",
}


def ask_driver(folder: Path, request: str, seconds: float = SECONDS) -> str:
    """Ask the driver of a folder of runs for something; say in one line what comes of it.

    Args:
        folder: of the runs.
        request: a key of ANSWERS.
        seconds: to wait for a driver that is asked to stop.

    Raises:
        ValueError: if nobody drives it.
    """
    if not (driver := holder_of(folder)):
        raise ValueError(f"{folder}: no process runs experiments here")
    write_whole(folder / REQUEST, request)
    deadline = time.monotonic() + seconds
    while request == STOP and holder_of(folder) == driver:
        if time.monotonic() > deadline:
            return f"{folder}: {driver} was asked to stop, and has not yet"
        time.sleep(0.1)
    return f"{folder}: {driver} {ANSWERS[request]}"


def take_request(folder: Path) -> str:
    """Return what is asked for now, and forget it; empty for nothing."""
    try:
        request = (folder / REQUEST).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""
    (folder / REQUEST).unlink()
    return request
