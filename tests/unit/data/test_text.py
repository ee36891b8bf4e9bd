"""Text: what its batches are, what its hash sees, and what it refuses."""

from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonargparse
import numpy as np
import pytest
import pytorch_lightning as pl

from moebench.data import corpus
from moebench.data.objectives import NextToken, SpanCorruption
from moebench.data.overlap import Overlap
from moebench.data.sources import Packages
from moebench.data.text import Text
from moebench.data.tokenizer import EOS

from .fakes import Counting, prepared, same

pytestmark = pytest.mark.usefixtures("cache")


def test_tokens_are_the_documents_each_ended_by_eos(cache: Path) -> None:
    text = prepared()
    (folder,) = cache.iterdir()
    assert sorted(p.name for p in folder.iterdir()) == [
        "corpus.json",
        "tokenizer.json",
        "train.bin",
        "valid.bin",
    ]
    ids = np.fromfile(folder / "train.bin", dtype=np.uint16)
    assert text.train_tokens == len(ids)
    ends = np.flatnonzero(ids == EOS)
    decoded = [text.tokenizer.decode(part.tolist()) for part in np.split(ids, ends + 1)]
    assert decoded[:-1] == [d.text for d in Counting().documents() if d.split == "train"]
    assert ids.max() < 320
    assert text.domains == ("farm", "city")
    assert text.tokens_per_batch == 64


def test_batches_say_which_domain_they_come_from() -> None:
    text = prepared()
    for batch in text.train_dataloader():
        for input_L, domain in zip(batch.input_BL.tolist(), batch.domain_B, strict=True):
            thing = "she" if text.domains[domain] == "farm" else "win"
            other = "win" if thing == "she" else "she"
            assert other not in text.tokenizer.decode(input_L)


def test_hash_and_encoding_are_reproducible_and_see_text_and_vocabulary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hashes = [prepared().content_hash, prepared(SpanCorruption()).content_hash]
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "elsewhere"))
    hashes += [prepared().content_hash]
    assert len(set(hashes)) == 1
    others = [prepared(source=Counting(1)), prepared(vocabulary=321)]
    assert len({*hashes, *(text.content_hash for text in others)}) == 3


def test_large_vocabularies_take_four_bytes() -> None:
    small, large = prepared(vocabulary=65536), prepared(vocabulary=65537)
    sizes = [(text._folder / "train.bin").stat().st_size for text in (small, large)]
    assert sizes == [2 * small.train_tokens, 4 * large.train_tokens]
    pair = (small.train_dataloader().batch(0), large.train_dataloader().batch(0))
    assert same(*pair)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocabulary": 289}, r"^data\.vocabulary=289: must be at least 290 \(256 bytes and 34"),
        ({"length": 0}, r"^data\.length=0: must be at least 1$"),
        ({"batch_size": 0}, r"^data\.batch_size=0: must be at least 1$"),
        ({"valid_batches": -1}, r"^data\.valid_batches=-1: must be at least 1$"),
        ({"seed": -1}, r"^data\.seed=-1: must not be negative$"),
    ],
)
def test_numbers_out_of_range(settings: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Text(Counting(), NextToken(), **settings)


def test_too_little_text() -> None:
    text = prepared(batch_size=1000, valid_batches=1000)
    with pytest.raises(ValueError, match=r"^data\.batch_size=1000: .* has only \d+ windows"):
        text.train_dataloader()
    with pytest.raises(ValueError, match=r"^data\.valid_batches=1000: .* for 0 batches of 1000;"):
        text.val_dataloader()


def test_yaml_builds_the_module(tmp_path: Path) -> None:
    config = """
        data:
          class_path: moebench.data.text.Text
          init_args:
            source:
              class_path: moebench.data.sources.Packages
              init_args: {domains: [cpp, english], megabytes_per_domain: 0.5}
            objective:
              class_path: SpanCorruption
              init_args: {mean_span: 2.0}
            length: 32
    """
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(pl.LightningDataModule, "data")
    (tmp_path / "text.yaml").write_text(dedent(config))
    parser.add_argument("--config", action="config")
    text = parser.instantiate(parser.parse_args(["--config", str(tmp_path / "text.yaml")])).data
    assert isinstance(text, Text)
    assert isinstance(text.source, Packages)
    assert isinstance(text.objective, SpanCorruption)
    assert text.source.domains == ("cpp", "english")
    assert text.objective.mean_span == 2
    assert (text.length, text.vocabulary) == (32, 1024)


@pytest.mark.parametrize(
    "init_args",
    [
        {"source": {"class_path": "moebench.data.objectives.NextToken"}},
        {"source": {"class_path": "moebench.data.sources.Files", "init_args": {"folder": "x"}}},
        {"length": "long"},
    ],
)
def test_yaml_of_the_wrong_kind_is_refused(init_args: dict[str, Any]) -> None:
    parser = jsonargparse.ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Text, "data")
    good = {
        "source": {"class_path": "moebench.data.sources.Packages"},
        "objective": {"class_path": "moebench.data.objectives.NextToken"},
    }
    parser.parse_object({"data": good})
    with pytest.raises(jsonargparse.ArgumentError):
        parser.parse_object({"data": good | init_args})


def test_the_hash_sees_texts_that_happen_to_have_the_same_ids(tmp_path: Path) -> None:
    """Merges of different letters may have the same number."""
    for split in ("train", "valid"):
        (tmp_path / f"{split}.bin").write_bytes(b"same")
    digests = ({"a": "1"}, {"a": "2"}, {"b": "1"})
    assert len({corpus.content_hash(tmp_path, 300, one) for one in digests}) == 3


def test_each_domain_has_its_own_overlap() -> None:
    text = Text(Counting(), NextToken())
    tokens: dict[Any, list[int]] = {"train": [9, 9], "valid": [9, 9]}
    shared = Overlap(shared=[1, 3], runs=[4, 4])
    digests = {"farm": "", "city": ""}
    text.__dict__["description"] = corpus.Corpus("", 300, digests, tokens, shared, corpus.Counts(2))
    assert text.metrics == {
        "data/overlap": 0.5,
        "data/overlap/farm": 0.25,
        "data/overlap/city": 0.75,
    }
