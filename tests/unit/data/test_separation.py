"""No text is in both splits: near-duplicates, the choice of splits, passages, the measure."""

import logging
import math
import random
import sys
import unicodedata
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from moebench.data.objectives import NextToken
from moebench.data.overlap import overlap
from moebench.data.separation import Counts, duplicates, ngrams, separate
from moebench.data.separation.passages import without_passages
from moebench.data.sources import Document, Files, Packages
from moebench.data.text import Text
from moebench.data.tokenizer import EOS


def sentences(seed: int, count: int = 8) -> list[str]:
    """Sentences of their own words, so that no two seeds share a phrase."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("aeioubdgklmnprst", k=7)) for _ in range(count * 9)]
    return [" ".join(words[9 * n : 9 * n + 9]) + "." for n in range(count)]


def text(seed: int, count: int = 8) -> str:
    return "\n".join(sentences(seed, count)) + "\n"


def document(name: object, content: str, domain: str = "a", split: str | None = None) -> Document:
    return Document(str(name), domain, split, content)  # type: ignore[arg-type]


def distinct(count: int, domain: str = "a") -> list[Document]:
    return [document(n, text(n), domain) for n in range(count)]


def first_of_each(texts: Sequence[str]) -> list[int]:
    return duplicates.first_of_cluster(list(duplicates.sketches(texts)))


def test_runs_that_are_equal_and_no_others_have_equal_hashes() -> None:
    values = np.random.default_rng(0).integers(3, size=3000).astype(np.uint16)
    hashes = ngrams.run_hashes(values, 3)
    runs = [tuple(values[n : n + 8].tolist()) for n in range(len(values) - 7)]
    assert len(hashes) == len(runs)
    assert (
        len(set(runs))
        == len(set(hashes.tolist()))
        == len(set(zip(runs, hashes.tolist(), strict=True)))
    )
    assert len(set(runs)) < len(runs), "or nothing was tested"
    assert [len(ngrams.run_hashes(values[:n], 3)) for n in (0, 1, 7, 8, 9)] == [0, 0, 0, 1, 2]


def test_overlap_is_the_share_of_32_token_runs_that_the_training_documents_have() -> None:
    """Against sets of tuples; runs do not reach over the end of a document."""
    chance = np.random.default_rng(1)

    def documents(lengths: Sequence[int]) -> list[list[int]]:
        return [[*chance.integers(2, 300, size=n).tolist(), EOS] for n in lengths]

    train, valid = documents([200, 40, 5]), documents([100, 31, 32, 90, 64])
    valid[0][10:60] = train[0][100:150]  # 19 runs, of 50 tokens
    valid[3][:40] = train[1][:40]  # 9 runs, of 40 tokens
    valid[4][20:53] = [*train[1][-17:-1], *train[0][:17]]  # across an end: none
    domains = [valid[:3], valid[3:]]

    def runs(documents: list[list[int]]) -> list[tuple[int, ...]]:
        bodies = [d[:-1] for d in documents]
        return [tuple(d[n : n + 32]) for d in bodies for n in range(len(d) - 31)]

    known = set(runs(train))
    sizes = [sum(map(len, part)) for part in domains]
    ids = [np.array([*chain(*part)], dtype=np.uint16) for part in (train, valid)]
    found = overlap(*ids, sizes)
    assert found.runs == [len(runs(part)) for part in domains] == [69 + 0 + 1, 59 + 33]
    assert found.shared == [sum(run in known for run in runs(part)) for part in domains] == [19, 9]
    assert found.by_domain == [19 / 70, 9 / 92]
    assert found.total == 28 / 162


def test_a_run_across_two_chunks_of_the_training_text_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of a document as long as three runs, read seven tokens at a time, every run is shared."""
    monkeypatch.setattr("moebench.data.overlap._AT_ONCE", 7)
    ids = np.array([*range(40, 136), EOS], dtype=np.uint16)
    found = overlap(ids, ids, [97])
    assert found.shared == found.runs == [96 - 31]


def test_of_texts_shorter_than_a_run_no_share_is_known() -> None:
    """The second domain has one run, which occurs in the training text; the first has none."""
    short, long = [5, 6, EOS], [*range(40, 72), EOS]
    found = overlap(*[np.array(short + long, dtype=np.uint16)] * 2, [3, 33])
    assert math.isnan(found.by_domain[0])
    assert found.by_domain[1] == found.total == 1
    assert math.isnan(overlap(*[np.array(short, dtype=np.uint16)] * 2, [3]).total)


def test_near_duplicates_are_found_and_chains_are_one_cluster() -> None:
    """The second differs in one sentence of eight; the fourth is like the third, not the first."""
    base = sentences(0, 12)
    changed = "\n".join([*base[:-1], *sentences(1, 1)])
    steps = ["\n".join([*base[n:], *sentences(2, 12)[:n]]) for n in (0, 2, 4, 6, 8)]
    assert first_of_each(["\n".join(base), changed]) == [0, 0]
    assert first_of_each([text(3), steps[0], steps[4]]) == [0, 1, 2], "ends are not alike"
    assert first_of_each([text(3), *steps]) == [0, 1, 1, 1, 1, 1]
    assert first_of_each([steps[4], text(3), *reversed(steps[:4])]) == [0, 1, 0, 0, 0, 0]
    middle = "\n".join([*base[3:], *sentences(2, 12)[:3]])
    assert first_of_each([steps[0], steps[3]]) == [0, 1], "half of the sentences, a third of all"
    assert first_of_each([steps[0], steps[3], middle]) == [0, 0, 0], "like both"


def test_copies_in_other_unicode_forms_are_copies() -> None:
    """Capitals, and accents as characters of their own."""
    accented = text(1).replace("a", "\u00e9").replace("o", "\u00df")
    decomposed = unicodedata.normalize("NFD", accented)
    assert decomposed != accented
    texts = [text(0), accented, text(0).upper(), text(0).title(), decomposed, accented.upper()]
    assert first_of_each(texts) == [0, 1, 0, 0, 1, 1]
    assert first_of_each(["A Heading", "a heading", "another"]) == [0, 0, 2]


def test_texts_that_differ_are_no_duplicates() -> None:
    assert first_of_each([text(n) for n in range(50)]) == list(range(50))
    sums = [f"What is {n} plus {n + 1}? It is {2 * n + 1}, and no less." for n in range(50)]
    assert first_of_each(sums) == list(range(50))
    assert first_of_each(["one", "two", "!", "?", " one\n", "?"]) == [0, 1, 2, 3, 0, 3]


def test_a_thousand_copies_cost_no_million_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    from datasketch import LeanMinHash

    asked = []
    jaccard = LeanMinHash.jaccard
    monkeypatch.setattr(LeanMinHash, "jaccard", lambda *pair: asked.append(1) or jaccard(*pair))
    assert set(first_of_each([text(0)] * 1000)) == {0}
    assert len(asked) == 999


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


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("cache")
def test_a_folder_with_copies(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(40):
        for name in ("doc", "copy_of_doc"):
            (folder / f"{name}_{number}").write_text(text(number))
    data = Text(Files(str(folder)), NextToken(), vocabulary=300)
    data.prepare_data()
    assert caplog.messages == [
        "40 of 80 documents are near-duplicates of others, in 40 clusters: each cluster counts "
        "once, on one side of the split"
    ]
    assert data.metrics == {"data/overlap": 0, "data/overlap/texts": 0}
    assert data.description.counts.copies == 40


@pytest.mark.usefixtures("cache")
def test_overlap_of_a_given_split_is_reported_in_every_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Given:
        def fingerprint(self) -> str:
            return "given"

        def documents(self) -> list[Document]:
            shared = " ".join(sentences(99, 3))
            train = [document(n, f"{shared}\n{text(n)}", split="train") for n in range(9)]
            return [*train, document("v", f"{text(9)}\n{shared}", split="valid")]

        def check(self, digests: object) -> None: ...

    for _ in range(2):
        Text(Given(), NextToken(), vocabulary=300).prepare_data()
    assert len(caplog.messages) == 2
    assert all(
        "in the validation text of a also occur in the training text" in m for m in caplog.messages
    )


@pytest.mark.usefixtures("cache")
def test_less_than_one_run_in_a_hundred_of_our_text_is_in_both_splits() -> None:
    """Of the headers in this much text it would be one in three, were the files only split."""
    data = Text(Packages(["python", "cpp"], megabytes_per_domain=1.5), NextToken())
    data.prepare_data()
    assert min(data.description.overlap.runs) > 5000
    assert max(data.metrics.values()) < 0.01
    assert {"data/overlap", "data/overlap/cpp"} < set(data.metrics)
    assert data.description.counts.cut > 0
