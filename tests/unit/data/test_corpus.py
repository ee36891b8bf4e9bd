"""The cache of tokens: used again, checked each time, and never read half-written."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from moebench.data.sources import Document, Files

from .fakes import Counting, prepared

pytestmark = pytest.mark.usefixtures("cache")


def test_the_cache_is_used_again_and_checked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared()
    source = Counting()
    monkeypatch.setattr(source, "documents", None)
    assert len(source.checked) == 0
    text = prepared(source=source)
    assert [tuple(digests) for digests in source.checked] == [text.domains]


def test_the_second_process_waits_for_the_first(cache: Path) -> None:
    """It asks while the first still writes, and reads no document itself."""
    read: list[str] = []

    class Noted(Counting):
        def documents(self) -> Iterator[Document]:
            read.append(threading.current_thread().name)
            if len(read) == 1:
                second.start()
                second.join(0.5)
                assert second.is_alive()
            yield from super().documents()

    second = threading.Thread(target=lambda: prepared(source=Noted()), name="second")
    text = prepared(source=Noted())
    second.join()
    assert read == [threading.current_thread().name]
    assert [path.name for path in cache.iterdir()] == [text._folder.name]


def test_what_a_killed_process_left_is_never_read_and_goes_with_the_next(cache: Path) -> None:
    """The next one of the same text, or of another."""
    code = """
        import os, signal, sys
        from moebench.data import corpus
        from moebench.data.sources import Files

        def kill(*arguments, **settings):
            os.kill(os.getpid(), signal.SIGKILL)

        corpus.json.dumps = kill
        source = Files(sys.argv[1])
        corpus.build(source, 320, corpus.folder_of(source, 320))
    """
    home = cache.parents[1]
    for name in ("one.txt", "two.txt"):
        (home / name).write_text("".join(f"Line {n} of {name}.\n" for n in range(400)))
        command = [sys.executable, "-c", dedent(code), name]
        assert subprocess.run(command, cwd=home, check=False).returncode == -9
        (left,) = cache.iterdir()
        assert (left / "valid.bin").stat().st_size > 0
        assert left.name.startswith(".")
    text = prepared(source=Files(str(home / "two.txt")), valid_batches=1)
    assert len(list(text.val_dataloader())) == 1
    assert list(cache.iterdir()) == [text._folder]


def test_a_source_that_fails_leaves_nothing(cache: Path) -> None:
    class Broken(Counting):
        def documents(self) -> Iterator[Document]:
            yield from list(super().documents())[:1]

    with pytest.raises(ValueError, match=r"^data\.source: it has no text for train$"):
        prepared(source=Broken())
    assert not list(cache.iterdir())


def test_a_source_that_changes_while_it_is_read_leaves_nothing(cache: Path) -> None:
    """Otherwise the cache would hold the new text under the name of the old one."""

    class Growing(Counting):
        def documents(self) -> Iterator[Document]:
            self.first += 1
            yield from super().documents()

    with pytest.raises(ValueError, match=r"^data\.source: changed while it was read; run the"):
        prepared(source=Growing())
    assert not list(cache.iterdir())
