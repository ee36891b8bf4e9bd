"""Blocks of one domain: every window once, several domains a batch, the order by the seed alone."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from moebench.data.corpus import Windows
from moebench.data.objectives import NextToken
from moebench.data.sources import Files
from moebench.data.text import Text
from reproductions.disputes.plan import GROUP
from reproductions.disputes.pure_text import BLOCK, PureBlocks, PureText

WIDTH, BATCH = 5, 2 * BLOCK
SIZES = [52 * WIDTH, 30 * WIDTH]  # tokens of two domains


def windows() -> Windows:
    """Fifty-two windows of one domain and thirty of another, told apart by their tokens."""
    return Windows(np.arange(sum(SIZES), dtype=np.uint16), SIZES, WIDTH)


def test_blocks_are_of_one_domain_and_no_window_is_in_two() -> None:
    batches = PureBlocks(windows(), BATCH)
    assert len(batches) == (52 // BLOCK + 30 // BLOCK) // 2  # what fills none is left out
    tokens, domain = batches.read(np.arange(len(batches)))
    assert tokens.shape == (len(batches) * BATCH, WIDTH)
    assert len(np.unique(tokens)) == tokens.size
    blocks = domain.reshape(-1, BLOCK)
    assert (blocks == blocks[:, :1]).all()
    assert sorted(tokens[:BLOCK, 0]) != list(tokens[:BLOCK, 0]), "neighbours are not side by side"


def test_domains_take_turns() -> None:
    batches = PureBlocks(windows(), BATCH)
    _, domain = batches.read(np.arange(len(batches)))
    of_block = domain.reshape(-1, BLOCK)[:, 0]
    shares = np.cumsum(of_block) / np.arange(1, len(of_block) + 1)
    assert abs(shares[3::2] - 3 / 9).max() < 0.2  # six blocks of one, three of the other


def test_a_block_is_what_the_narrow_loss_balances() -> None:
    assert BLOCK * 64 == GROUP


@pytest.mark.parametrize(
    ("size", "why"),
    [(12, "batch_size=12: must be a multiple of 8"), (80, "batch_size=80: too few windows")],
)
def test_batches_that_blocks_do_not_fill_are_refused(size: int, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        PureBlocks(windows(), size)


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
    data = kind(source, NextToken(), 300, length=16, batch_size=BATCH, valid_batches=2, seed=seed)
    data.prepare_data()
    data.setup("fit")
    return data


def test_training_is_pure_and_validation_is_not(text: Files) -> None:
    data, other = made(PureText, text), made(PureText, text, seed=1)
    batches = list(data.train_dataloader())
    blocks = [block for batch in batches for block in batch.domain_B.split(BLOCK)]
    assert {len(block.unique()) for block in blocks} == {1}
    assert {int(block[0]) for block in blocks} == {0, 1}
    assert batches[0].input_BL.shape == (BATCH, 16)
    assert any(
        not ours.input_BL.equal(theirs.input_BL)
        for ours, theirs in zip(batches, other.train_dataloader(), strict=False)
    )
    plain = made(Text, text)
    for ours, theirs in zip(data.val_dataloader(), plain.val_dataloader(), strict=True):
        assert ours.input_BL.equal(theirs.input_BL)
    mixed = [block for batch in plain.train_dataloader() for block in batch.domain_B.split(BLOCK)]
    assert any(len(block.unique()) > 1 for block in mixed)


def test_training_goes_on_after_the_batch_where_it_stopped(text: Files) -> None:
    whole = list(made(PureText, text).train_dataloader())
    resumed = made(PureText, text).train_dataloader()
    resumed.load_state_dict({"position": 3})
    assert torch.equal(next(iter(resumed)).input_BL, whole[3].input_BL)
