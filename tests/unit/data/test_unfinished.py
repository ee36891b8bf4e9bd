"""What others are still making stays; what nobody makes any more does not."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from moebench.data.unfinished import unfinished

MAKE = """
    import sys
    from pathlib import Path
    from moebench.data.unfinished import unfinished

    with unfinished(Path("cache/text/first")) as made:
        print(made.absolute(), flush=True)
        sys.stdin.read()
"""


def test_a_folder_that_is_being_made_stays_until_its_maker_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "cache" / "text"
    command = [sys.executable, "-c", dedent(MAKE)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, **pipes) as maker:
        assert maker.stdout is not None
        theirs = Path(maker.stdout.readline().strip())
        with unfinished(place / "second") as ours:
            assert set(place.iterdir()) == {theirs, ours}
        os.kill(maker.pid, signal.SIGKILL)
    assert list(place.iterdir()) == [theirs]
    with unfinished(place / "second") as ours:
        assert list(place.iterdir()) == [ours]
    assert not list(place.iterdir())


def test_what_another_machine_left_stays(tmp_path: Path) -> None:
    """Whether it is still at work there, no lock can say here."""
    (tmp_path / "text" / ".first.elsewhere.0123").mkdir(parents=True)
    with unfinished(tmp_path / "text" / "first"):
        pass
    assert [path.name for path in (tmp_path / "text").iterdir()] == [".first.elsewhere.0123"]
