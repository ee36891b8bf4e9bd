"""The share of the validation text that is in the training text, and where it is reported."""

import math
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from moebench.data.objectives import NextToken
from moebench.data.overlap import overlap
from moebench.data.separation import ngrams
from moebench.data.sources import Document, Files, Packages
from moebench.data.text import Text
from moebench.data.tokenizer import EOS

from .fakes import document, sentences, text


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


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What moebench has said, and no library."""
    return [one.getMessage() for one in caplog.records if one.name.startswith("moebench")]


@pytest.mark.usefixtures("cache")
def test_a_folder_with_copies(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(40):
        for name in ("doc", "copy_of_doc"):
            (folder / f"{name}_{number}").write_text(text(number))
    data = Text(Files(str(folder)), NextToken(), vocabulary=300)
    data.prepare_data()
    assert told(caplog) == [
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
    assert len(told(caplog)) == 2
    assert all(
        "in the validation text of a also occur in the training text" in m for m in told(caplog)
    )


@pytest.mark.usefixtures("cache")
def test_less_than_one_run_in_a_hundred_of_our_text_is_in_both_splits() -> None:
    """Of the headers in this much text it would be one in three, were the files only split."""
    data = Text(Packages(["python", "cpp"], megabytes_per_domain=0.8), NextToken())
    data.prepare_data()
    assert min(data.description.overlap.runs) > 5000
    assert max(data.metrics.values()) < 0.01
    assert {"data/overlap", "data/overlap/cpp"} < set(data.metrics)
    assert data.description.counts.cut > 0
