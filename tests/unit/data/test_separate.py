"""No text is in both splits: the choice of splits, copies, passages, and what is refused."""

import logging
import sys

import pytest

from moebench.data.separation import Counts, separate
from moebench.data.separation.passages import without_passages
from moebench.data.sources import Document

from .fakes import distinct, document, sentences, text


def test_copies_count_once_and_a_line_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Every text twice, once in another domain too; without copies the same sides, no line."""
    alone = separate(distinct(60))
    assert not caplog.messages
    copied = [*distinct(60), *(d._replace(name=f"copy_of_{d.name}") for d in distinct(60))]
    copied.append(document("other", text(0), "b"))
    copied += [document(n, text(n), "b") for n in range(100, 110)]
    separated = separate(copied)
    assert [d for d in separated.documents if d.domain == "a"] == alone.documents
    assert separated.counts.copies == 61
    assert separated.counts.clusters == 60
    (message,) = caplog.messages
    assert message.startswith("61 of 131 documents are near-duplicates of others, in 60 clusters:")
    assert caplog.records[0].levelno == logging.WARNING


def test_one_group_in_twenty_is_for_validation() -> None:
    grouped = [d._replace(group=str(int(d.name) // 3)) for d in distinct(120)]
    side = {d.name: (d.split, d.group) for d in separate(grouped).documents}
    held_out = {group for split, group in side.values() if split == "valid"}
    assert len(held_out) == 2
    assert all((split == "valid") == (group in held_out) for split, group in side.values())
    assert len(side) == 120


def test_a_few_documents_of_one_line_are_split_by_document() -> None:
    few = [document(n, " ".join(sentences(n))) for n in range(5)]
    assert [d.split for d in separate(few).documents].count("valid") == 1


def test_of_a_few_documents_those_of_one_line_are_for_training() -> None:
    """Two documents have lines to give away; whatever has but one, a blank one aside, has none."""
    lines = [sentences(n) for n in range(5)]
    few = [document(n, " ".join(lines[n])) for n in range(3)]
    few += [document(3, "\n" + " ".join(lines[3])), document(4, "\n".join(lines[4]))]
    sides = [(d.name, d.split) for d in separate(few).documents]
    assert sides == [*((str(n), "train") for n in range(5)), ("4", "valid")]


def test_passages_of_the_training_text_leave_validation() -> None:
    """A licence, one sentence inside a line, and a text that is a patchwork of others."""
    licence = "\n".join(sentences(1000, 3)) + "\n\n"
    documents = [d._replace(text=f"{licence}{d.name}:\n{d.text}") for d in distinct(60)]
    valid = [d for d in separate(documents).documents if d.split == "valid"]
    assert len(valid) == 3
    assert all(d.text.endswith(text(int(d.name))) for d in valid)
    assert not any(sentence in d.text for d in valid for sentence in sentences(1000, 3))
    first, second = (int(d.name) for d in valid[:2])
    train = next(n for n in range(60) if str(n) not in {d.name for d in valid})
    borrowed = sentences(train)
    own = sentences(first)
    own[2] = f"As was said: {borrowed[5]} So be it."
    documents[first] = document(first, "\n".join(own))
    patchwork = [sentences(n)[0] for n in range(60) if n not in (first, second)][:5]
    documents[second] = document(second, "\n".join([*patchwork, *sentences(second)[:4]]))
    separated = separate(documents)
    left = {d.name: d.text for d in separated.documents if d.split == "valid"}
    assert left[str(first)] == "\n".join([*own[:2], *own[3:]])
    assert str(second) not in left, "most of it stands elsewhere"
    assert separated.counts.cut == separated.counts.valid - sum(map(len, left.values())) > 0


def test_a_passage_that_fills_its_line_takes_no_other_one_along() -> None:
    """64 characters, the line feed included."""
    shared = " ".join(sentences(0))[:63] + "\n"
    own = [f"{line}\n" for line in sentences(1, 4)]
    [left] = without_passages(["".join([*own[:2], shared, *own[2:]])], [f"{text(2)} {shared}"])
    assert left == "".join(own)


def test_a_given_split_is_kept_and_training_gives_way() -> None:
    """Validation stays to the letter, with its own copies; headings are no documents."""
    valid = [document(n, text(n), split="valid") for n in (1, 2, 2, 3)]
    train = [document(n, text(n), split="train") for n in (2, 4, 5, 4, 6)]
    headings = [document("h", "= History =", split=side) for side in ("train", "valid", "train")]
    separated = separate([*train, *valid, *headings])
    held_out = [d for d in separated.documents if d.split == "valid"]
    assert held_out == [*valid, headings[1]]
    kept = [d.name for d in separated.documents if d.split == "train"]
    assert kept == ["4", "5", "6", "h", "h"]
    assert separated.counts == Counts(documents=12, clusters=2, copies=2)


def test_shards_are_compared_with_validation_and_within_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.modules["moebench.data.separation.separate"], "SHARD", 3)
    valid = [document("v", text(0), split="valid")]
    train = [document(n, text(n), split="train") for n in (1, 1, 0, 2, 1, 0)]
    separated = separate([*valid, *train])
    assert [d.name for d in separated.documents if d.split == "train"] == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([document(n, text(0)) for n in range(30)], r"domain 'a' has nothing to validate on: .*30"),
        (
            [*distinct(30), document("x", text(0), "b"), document("y", text(1), "b")],
            r"domain 'b' has nothing to validate on: all of its text \(2 documents\) counts as one",
        ),
        ([document(0, "the same line of a text\n" * 400)], "domain 'a' has no text for valid; all"),
        ([document(0, "one line")], "domain 'a' has no text for valid; give it at least two lines"),
        ([], "it has no text for train"),
        (
            [document(n, text(0), split=side) for n, side in enumerate(["valid", "train"])],
            "domain 'a' has nothing to train on: all of its training documents are near-dupl",
        ),
        ([document(0, text(0), split="train")], "it has no text for valid"),
        ([document(0, text(0), split="train"), document(1, text(1))], "some of its documents have"),
    ],
)
def test_nothing_is_left(documents: list[Document], message: str) -> None:
    with pytest.raises(ValueError, match=rf"^data\.source: {message}") as error:
        separate(documents)
    assert "\n" not in str(error.value)
