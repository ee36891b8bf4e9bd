import os
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonargparse
import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from moebench.data import corpus
from moebench.data.batches import TrainBatches, ValidBatches
from moebench.data.contract import TextBatch
from moebench.data.corpus import Windows
from moebench.data.objectives import NextToken, Objective, SpanCorruption
from moebench.data.overlap import Overlap
from moebench.data.sources import Document, Files, Packages, Source
from moebench.data.text import Text
from moebench.data.tokenizer import EOS, FIRST_TEXT, SMALLEST_VOCABULARY, Tokenizer


class Counting:
    """A custom source: two domains of sentences about numbers."""

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.checked: list[Mapping[str, str]] = []

    def fingerprint(self) -> str:
        return f"counting from {self.first}"

    def documents(self) -> Iterator[Document]:
        for domain, thing in (("farm", "sheep"), ("city", "windows")):
            for number in range(self.first, self.first + 150):
                text = f"{number} {thing}, and then {number + 1} {thing}."
                yield Document(str(number), domain, "train" if number % 4 else "valid", text)

    def check(self, digests: Mapping[str, str]) -> None:
        self.checked.append(digests)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "text"


def prepared(
    objective: Objective | None = None, source: Source | None = None, **sizes: int
) -> Text:
    small = {"vocabulary": 320, "length": 16, "batch_size": 4, "valid_batches": 3}
    text = Text(source or Counting(), objective or NextToken(), **(small | sizes))
    text.prepare_data()
    text.setup()
    return text


def same(left: TextBatch, right: TextBatch) -> bool:
    pairs = zip(left, right, strict=True)
    return all(a is b if a is None or b is None else torch.equal(a, b) for a, b in pairs)


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


def test_every_window_lies_in_one_domain_and_none_overlap() -> None:
    tokens = np.arange(23, dtype=np.uint16)
    windows = Windows(tokens, [11, 3, 9], width=4)
    raw_BW, domain_B = windows.read(np.arange(len(windows)))
    assert raw_BW.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [14, 15, 16, 17], [18, 19, 20, 21]]
    assert domain_B.tolist() == [0, 0, 2, 2]


def test_batches_say_which_domain_they_come_from() -> None:
    text = prepared()
    for batch in text.train_dataloader():
        for input_L, domain in zip(batch.input_BL.tolist(), batch.domain_B, strict=True):
            thing = "she" if text.domains[domain] == "farm" else "win"
            other = "win" if thing == "she" else "she"
            assert other not in text.tokenizer.decode(input_L)


def test_an_epoch_sees_every_window_once_and_the_next_in_another_order() -> None:
    text = prepared(batch_size=1)
    loader = text.train_dataloader()
    first, second = ([tuple(b.input_BL[0].tolist()) for b in loader] for _ in range(2))
    assert sorted(first) == sorted(second)
    assert first != second
    whole = corpus.windows(text._folder, "train", 17)
    assert len(first) == len(whole) == len(loader)
    raw_BW, _ = whole.read(np.arange(len(whole)))
    assert sorted(first) == sorted(map(tuple, raw_BW[:, :-1].tolist()))


@pytest.mark.parametrize("objective", [NextToken(), SpanCorruption(mean_span=1)])
def test_order_depends_on_the_seed_only(objective: Objective) -> None:
    one, two = prepared(objective, seed=1), prepared(objective, seed=1)
    other = prepared(objective, seed=2)
    loader = one.train_dataloader()
    torch.manual_seed(7)
    passed = [*loader, *loader]
    number = len(loader) + 1
    assert same(passed[number], two.train_dataloader().batch(number))
    assert not same(passed[number], other.train_dataloader().batch(number))
    pairs = zip(one.val_dataloader(), other.val_dataloader(), strict=True)
    assert all(same(left, right) for left, right in pairs)


def test_processes_share_the_batches() -> None:
    text = prepared()
    windows = corpus.windows(text._folder, "train", 17)
    alone = text.train_dataloader()
    ranks = [TrainBatches(windows, NextToken(), 4, 0, rank, processes=2) for rank in (0, 1)]
    shared = [batch for pair in zip(*ranks, strict=True) for batch in pair]
    assert len(shared) == len(alone) // 2 * 2
    assert all(same(batch, alone.batch(n)) for n, batch in enumerate(shared))


def test_validation_is_spread_evenly() -> None:
    """Of ten windows, six are wanted: numbers 0, 1, 3, 5, 6, 8, dealt out to three batches."""
    windows = Windows(np.arange(10, dtype=np.uint16).repeat(2), [12, 8], width=2)
    batches = list(ValidBatches(windows, NextToken(), batch_size=2, count=3))
    assert [b.input_BL[:, 0].tolist() for b in batches] == [[0, 5], [1, 6], [3, 8]]
    assert [b.domain_B.tolist() for b in batches] == [[0, 0], [0, 1], [0, 1]]


def test_hash_and_encoding_are_reproducible_and_see_text_and_vocabulary(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hashes = [prepared().content_hash, prepared(SpanCorruption()).content_hash]
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "elsewhere"))
    hashes += [prepared().content_hash]
    assert len(set(hashes)) == 1
    others = [prepared(source=Counting(1)), prepared(vocabulary=321)]
    assert len({*hashes, *(text.content_hash for text in others)}) == 3


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


def test_another_process_learns_the_same_encoding(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from moebench.data.tokenizer import Tokenizer
        text = Path(sys.argv[1]).read_text()
        Tokenizer.train(text.split("\\f"), 1024).save(Path(sys.argv[2]))
    """
    texts = tmp_path / "texts"
    modules = sorted((Path(np.__file__).parent / "lib").glob("*.py"))
    texts.write_text("\f".join(path.read_text().replace("\f", "") for path in modules))
    assert texts.stat().st_size > 500_000
    saved = []
    for number, threads in enumerate("124"):
        path = tmp_path / f"{number}.json"
        environment = os.environ | {"RAYON_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        command = [sys.executable, "-c", dedent(code), str(texts), str(path)]
        subprocess.run(command, check=True, env=environment)
        saved.append(path.read_bytes())
    assert saved[0] == saved[1] == saved[2]


def test_the_cache_is_used_again_and_checked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared()
    source = Counting()
    monkeypatch.setattr(source, "documents", None)
    assert len(source.checked) == 0
    text = prepared(source=source)
    assert [tuple(digests) for digests in source.checked] == [text.domains]


def test_the_second_process_uses_the_finished_corpus(cache: Path) -> None:
    """A second process finishes while the first still writes, and both end well."""

    class Slow(Counting):
        def documents(self) -> Iterator[Document]:
            prepared()
            yield from super().documents()

    text = prepared(source=Slow())
    assert text.content_hash == prepared().content_hash
    assert [path.name for path in cache.iterdir()] == [text._folder.name]


def test_a_process_killed_while_writing_leaves_nothing_that_is_read(cache: Path) -> None:
    code = """
        import os, signal
        from pathlib import Path
        from moebench.data import corpus
        from moebench.data.sources import Files

        def kill(*arguments, **settings):
            os.kill(os.getpid(), signal.SIGKILL)

        corpus.json.dumps = kill
        source = Files("text.txt")
        corpus.build(source, 320, corpus.folder_of(source, 320))
    """
    home = cache.parents[1]
    (home / "text.txt").write_text("".join(f"Line {n} of a text.\n" for n in range(400)))
    done = subprocess.run([sys.executable, "-c", dedent(code)], cwd=home, check=False)
    assert done.returncode == -9
    (unfinished,) = cache.iterdir()
    assert (unfinished / "valid.bin").stat().st_size > 0
    assert unfinished.name.startswith(".")
    text = prepared(source=Files(str(home / "text.txt")), valid_batches=1)
    assert len(list(text.val_dataloader())) == 1
    assert len(list(cache.iterdir())) == 2


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


def test_large_vocabularies_take_four_bytes() -> None:
    small, large = prepared(vocabulary=65536), prepared(vocabulary=65537)
    sizes = [(text._folder / "train.bin").stat().st_size for text in (small, large)]
    assert sizes == [2 * small.train_tokens, 4 * large.train_tokens]
    pair = (small.train_dataloader().batch(0), large.train_dataloader().batch(0))
    assert same(*pair)


def test_text_ids_start_after_the_special_ones() -> None:
    tokenizer = Tokenizer.train([], SMALLEST_VOCABULARY)
    (ids,) = tokenizer.encode(["a<pad>\n"])
    assert len(ids) == 7, "one id per byte, since nothing could be merged"
    assert min(ids) >= FIRST_TEXT
    assert tokenizer.decode([EOS, *ids, 5]) == "a<pad>\n"


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


class Watching(pl.LightningModule):
    """Trains one number and notes what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen: list[TextBatch] = []

    def training_step(self, batch: TextBatch) -> torch.Tensor:
        assert isinstance(batch, TextBatch)
        self.seen.append(batch)
        return self.weight * batch.input_BL.float().mean()

    def validation_step(self, batch: TextBatch) -> None:
        assert isinstance(batch, TextBatch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit(folder: Path, steps: int, resume: Path | None = None, **settings: Any) -> list[TextBatch]:
    model = Watching()
    save = ModelCheckpoint(folder, "{step}", every_n_train_steps=1, save_top_k=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_steps=steps,
            max_epochs=-1,
            accelerator="cpu",
            logger=False,
            callbacks=[save],
            enable_progress_bar=False,
            enable_model_summary=False,
            **settings,
        )
        data = prepared(SpanCorruption(), batch_size=8, length=24, seed=3, valid_batches=1)
        trainer.fit(model, data, ckpt_path=resume, weights_only=True)
    return model.seen


@pytest.mark.parametrize("settings", [{}, {"limit_train_batches": 4}, {"val_check_interval": 2}])
def test_a_resumed_run_sees_what_an_uninterrupted_one_does(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    text = prepared(SpanCorruption(), batch_size=8, length=24, seed=3, valid_batches=1)
    loader = text.train_dataloader()
    epoch = len(loader)
    assert epoch > 7
    steps = 2 * epoch + 3
    whole = fit(tmp_path / "whole", steps, **settings)
    assert len(whole) == steps
    assert all(same(batch, loader.batch(number)) for number, batch in enumerate(whole))
    for stop in (7, epoch, epoch + 2):
        folder = tmp_path / f"stopped at {stop}"
        begun = fit(folder, stop, **settings)
        rest = fit(folder, steps, folder / f"step={stop}.ckpt", **settings)
        assert len(begun + rest) == steps
        assert all(same(*pair) for pair in zip(begun + rest, whole, strict=True))


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
