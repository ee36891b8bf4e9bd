"""Freed memory stays with a process that asked for that, and goes back to the system otherwise."""

import ctypes
import subprocess
import sys

import pytest

from moebench.run.allocator import keep_freed_memory

SIZE = 2**26  # beyond what the C library keeps by itself
HELD = f"""
import sys
from pathlib import Path
from moebench.run.allocator import keep_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

if sys.argv[1] == "keep":
    assert keep_freed_memory()
before = resident()
block = b"x" * {SIZE}
with_block = resident()
del block
print((resident() - before) / (with_block - before))
"""


def held(how: str) -> float:
    """Return which share of a freed block a new process still holds."""
    done = subprocess.run(
        [sys.executable, "-c", HELD, how], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"),
    reason="how much memory a process holds is read from /proc, which Linux alone has",
)
def test_freed_memory_is_kept_on_request() -> None:
    if not hasattr(ctypes.CDLL(None), "mallopt"):
        pytest.skip("this C library has no mallopt, so that memory cannot be kept on request")
    assert held("keep") > 0.9
    assert held("hand back") < 0.1


def test_a_library_that_cannot_be_asked_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("moebench.run.allocator.ctypes.CDLL", lambda name: object())
    assert not keep_freed_memory()
