"""Every data module, of moebench and of papers, meets the data contract."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import pytorch_lightning as pl
import torch

from moebench.cli.listing import data_modules, listing
from moebench.data.contract import check_batch, check_module, loader_of
from moebench.data.modules import DATA_MODULES
from moebench.data.objectives import OBJECTIVES
from moebench.data.sources import Files
from moebench.data.synthetic import Synthetic, Uniform
from moebench.data.text import Text
from moebench.experiment.classes import named_class
from moebench.testing import DatasetContract

SIZE = {"length": 16, "batch_size": 4, "valid_batches": 2}
FAMILY = {**DATA_MODULES, **{name: named_class(name) for name in data_modules()}}


@pytest.fixture(scope="module", autouse=True)
def _cache(small_text: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOEBENCH_CACHE", str(small_text.parent / "cache"))
        yield


@pytest.mark.parametrize("name", FAMILY)
class TestFamily(DatasetContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str, small_text: Path) -> None:
        text = Files(str(small_text)), OBJECTIVES["next_token"]()
        self.kind = FAMILY[name]
        self.given = {Text: text, Synthetic: (Uniform(8),)}.get(self.kind, ())

    def make(self, seed: int) -> pl.LightningDataModule:
        sizes = {**SIZE, "vocabulary": 300} if self.given else {}
        return self.kind(*self.given, **sizes, seed=seed)


class TestSpans(DatasetContract):
    """Batches with something for an encoder."""

    @pytest.fixture(autouse=True)
    def _text(self, small_text: Path) -> None:
        self.source = Files(str(small_text))

    def make(self, seed: int) -> Text:
        return Text(self.source, OBJECTIVES["span_corruption"](), 300, **SIZE, seed=seed)


def test_those_that_papers_define_are_among_them() -> None:
    files = (Path(__file__).parents[2] / "reproductions").rglob("*.py")
    texts = {path.stem: path.read_text() for path in files}
    found = {
        f"{stem}.{name}"
        for stem, text in texts.items()
        for name in re.findall(r"^class (\w+)\((?:\w+\.)?LightningDataModule\)", text, re.MULTILINE)
    }
    assert found <= {".".join(name.split(".")[-2:]) for name in FAMILY}


def test_all_are_listed() -> None:
    lines = listing().splitlines()
    for name, kind in FAMILY.items():
        shown = name if "." in name else kind.__name__
        assert any(line.split()[:1] == [shown] for line in lines), shown


class Bare(pl.LightningDataModule):
    """Has a training loader and nothing else."""

    def train_dataloader(self) -> list[object]:
        return []


@pytest.mark.parametrize("name", ["content_hash", "tokens_per_batch", "val_dataloader"])
def test_a_missing_part_of_a_module_is_named_with_its_reference(name: str) -> None:
    parts = {"content_hash": "x", "tokens_per_batch": 1, "val_dataloader": lambda self: []}
    del parts[name]
    lacking = type("Lacking", (Bare,), parts)()
    with pytest.raises(
        ValueError, match=rf"^data=Lacking: has no {name} \(.*\), see moebench/data/"
    ):
        check_module(lacking)


IDS = torch.zeros(2, 4, dtype=torch.int64)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"target_BL": None},
            r"target_BL of a batch is None; must be int64 BxL, see moebench/data/",
        ),
        (
            {"target_BL": IDS[:, 1:]},
            r"target_BL of a batch has the shape \(2, 3\); must be \(2, 4\)",
        ),
        ({"input_BL": IDS.int()}, r"input_BL of a batch is torch.int32 of 2 dimensions"),
        ({"context_BL": IDS[0]}, r"context_BL of a batch is torch.int64 of 1 dimensions"),
    ],
)
def test_a_batch_of_another_kind_is_refused(changed: dict[str, object], words: str) -> None:
    parts = {"input_BL": IDS, "target_BL": IDS, "context_BL": None}
    check_batch(SimpleNamespace(**parts))
    with pytest.raises(ValueError, match=words):
        check_batch(SimpleNamespace(**{**parts, **changed}))
    for name in parts:
        lacking = {key: value for key, value in parts.items() if key != name}
        with pytest.raises(ValueError, match=rf"has no {name} \(.*\), see moebench/data/contract"):
            check_batch(SimpleNamespace(**lacking))


@pytest.mark.parametrize("loader", [[], (), {}])
def test_a_list_of_batches_is_refused_as_a_loader(loader: object) -> None:
    """Lightning takes it for a list of loaders, and its own error names neither."""
    data = SimpleNamespace(train_dataloader=lambda: loader, val_dataloader=lambda: iter([]))
    kind = type(loader).__name__
    with pytest.raises(ValueError, match=rf"train_dataloader returns a {kind}, .* moebench/data/"):
        loader_of(data, "train_dataloader")
    assert not list(loader_of(data, "val_dataloader"))
