"""What comes back from a node: files as they grow, also one that was cut, and words to a run."""

from pathlib import Path

from moebench.run.engines.ray_mailbox import CANCEL, PRUNE, Began, Growing, Mailbox, Piece


def test_a_file_comes_back_line_by_line(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    growing = Growing(there, "key")
    assert growing.new() == []
    there.write_text("one\ntwo\nthr")
    [piece] = growing.new()
    assert piece == Piece("key", "there", 0, b"one\ntwo\n")
    piece.write(here)
    assert growing.new() == []
    with there.open("a") as file:
        file.write("ee\n")
    [piece] = growing.new()
    assert (piece.start, piece.content) == (8, b"three\n")
    piece.write(here)
    assert here.read_text() == there.read_text()


def test_a_file_that_was_cut_comes_back_whole(tmp_path: Path) -> None:
    """Even where it is longer again by the time that it is looked at."""
    there, here = tmp_path / "there", tmp_path / "here"
    growing = Growing(there, "key")
    for text in ("1 a\n2 b\n3 c\n", "1 a\n2 x\n", "1 a\n2 longer\n3 and longer\n", "5\n"):
        there.write_text(text)
        for piece in growing.new():
            piece.write(here)
        assert here.read_text() == text


def test_an_earlier_attempt_is_not_heard_any_more() -> None:
    mailbox = Mailbox()
    first, second = Began("key", "one", False), Began("key", "two", True)
    piece = Piece("key", "history.jsonl", 0, b"x\n")
    mailbox.begin("a", first)
    assert mailbox.post("a", "key", [piece]) == ""
    assert mailbox.take() == [first, piece]
    mailbox.begin("b", second)
    assert mailbox.post("a", "key", [piece]) == CANCEL
    assert mailbox.take() == [second]
    assert mailbox.take() == []


def test_a_run_gets_its_word_with_the_next_that_it_sends() -> None:
    mailbox = Mailbox()
    mailbox.tell("key", PRUNE)
    for key, word in (("key", PRUNE), ("other", "")):
        mailbox.begin("a", Began(key, "one", False))
        assert mailbox.post("a", key, []) == word
