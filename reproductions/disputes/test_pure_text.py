"""Batches of one domain: every window once, and the order by the seed alone."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from moebench.data.corpus import Windows
from moebench.data.objectives import NextToken
from moebench.data.sources import Files
from moebench.data.text import Text
from reproductions.disputes.pure_text import OneDomain, PureText

SIZES = [50, 30]  # tokens of two domains, in windows of 5


def windows() -> Windows:
    """Ten windows of one domain and six of another, told apart by their tokens."""
    return Windows(np.arange(sum(SIZES), dtype=np.uint16), SIZES, 5)


def test_blocks_are_of_one_domain_and_no_window_is_in_two() -> None:
    blocks = OneDomain(windows(), 4)
    assert len(blocks) == 2 + 1  # what fills no block is left out
    tokens, domain = blocks.read(np.arange(len(blocks)))
    assert tokens.shape == (12, 5)
    assert len(np.unique(tokens)) == tokens.size
    assert [set(of_block) for of_block in domain.reshape(-1, 4)] == [{0}, {0}, {1}]
    assert sorted(tokens[:4, 0]) != list(tokens[:4, 0]), "neighbours are not side by side"


def test_blocks_larger_than_any_domain_are_refused() -> None:
    with pytest.raises(ValueError, match="batch_size=11: no domain has as many windows"):
        OneDomain(windows(), 11)


@pytest.fixture
def text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Two domains of generated words."""
    monkeypatch.setenv("MOEBENCH_CACHE", str(tmp_path / "cache"))
    chance = random.Random(0)
    for domain, letters in (("first", "abcdefgh"), ("second", "nopqrstu")):
        (tmp_path / "text" / domain).mkdir(parents=True)
        for number in range(60):
            words = " ".join("".join(chance.choices(letters, k=5)) for _ in range(300))
            (tmp_path / "text" / domain / f"{number}.txt").write_text(words)
    return Files(str(tmp_path / "text"))


def made(kind: type[Text], source: Files, seed: int = 0) -> Text:
    data = kind(source, NextToken(), 300, length=16, batch_size=8, valid_batches=2, seed=seed)
    data.prepare_data()
    data.setup("fit")
    return data


def test_training_is_pure_and_validation_is_not(text: Files) -> None:
    data, other = made(PureText, text), made(PureText, text, seed=1)
    batches = list(data.train_dataloader())
    assert {len(batch.domain_B.unique()) for batch in batches} == {1}
    assert {int(batch.domain_B[0]) for batch in batches} == {0, 1}
    assert batches[0].input_BL.shape == (8, 16)
    assert any(
        not ours.input_BL.equal(theirs.input_BL)
        for ours, theirs in zip(batches, other.train_dataloader(), strict=False)
    )
    plain = made(Text, text)
    for ours, theirs in zip(data.val_dataloader(), plain.val_dataloader(), strict=True):
        assert ours.input_BL.equal(theirs.input_BL)
    assert any(len(batch.domain_B.unique()) > 1 for batch in plain.train_dataloader())


def test_training_goes_on_after_the_batch_where_it_stopped(text: Files) -> None:
    whole = list(made(PureText, text).train_dataloader())
    resumed = made(PureText, text).train_dataloader()
    resumed.load_state_dict({"position": 3})
    assert torch.equal(next(iter(resumed)).input_BL, whole[3].input_BL)
