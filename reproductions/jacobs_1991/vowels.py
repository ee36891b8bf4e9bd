"""Vowels of American English: 76 speakers, 10 vowels, each spoken twice, and four measurements.

The figures in `vowels.csv` are those published by Peterson and Barney 1952, "Control methods used
in a study of the vowels", Journal of the Acoustical Society of America 24, 175-184: the fundamental
frequency F0 and the formants F1 to F3 in hertz, of vowels in words such as heed, hid, hod, hud.
They agree with the table in the program Praat. Vowels have their ARPAbet names: iy heed, ih hid, eh
head, ae had, ah hud, aa hod, ao hawed, uh hood, uw who'd, er heard. Speakers 1 to 33 are men, 34 to
61 women, 62 to 76 children.
"""

import csv
import hashlib
import json
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor

from reproductions.jacobs_1991.whole import Whole

PATH = Path(__file__).with_name("vowels.csv")
VOWELS = ("iy", "ih", "eh", "ae", "ah", "aa", "ao", "uh", "uw", "er")
FEATURES = ("F0", "F1", "F2", "F3")
SPEAKERS = 76
HERTZ_PER_UNIT = 1000.0  # as in figure 2 of Jacobs et al. 1991

Coding = Literal["aligned", "anti", "one_hot"]
CODES = {"aligned": (0.0, 1.0, 1.0, 0.0), "anti": (0.0, 1.0, 0.0, 1.0)}  # repeated as needed


class VowelBatch(NamedTuple):
    """All cases of a set: T spoken vowels, D inputs, C outputs."""

    x_TD: Tensor  # kHz, float64
    target_TC: Tensor  # 0 or 1, float64; C = 1, or as many as vowels
    vowel_T: Tensor  # int64, index into the chosen vowels
    speaker_T: Tensor  # int64, 1 to 76


class Vowels(pl.LightningDataModule):
    """The vowel task of Jacobs, Jordan, Nowlan and Hinton 1991, section 3, and its variants.

    The paper does not say how its nets code four vowels. With one output the two vowels of a pair
    need different targets, and the pairs can be combined in two ways: `aligned` (iy, ah = 0 and
    ih, aa = 1) and `anti` (iy, aa = 0 and ih, ah = 1). With `one_hot` each vowel has its own
    output. Other vowels are coded by position: 0 1 1 0 0 1 ... and 0 1 0 1 ....

    Args:
        vowels: names, in the order used by the coding.
        coding: `aligned`, `anti` or `one_hot`.
        features: the inputs, chosen from F0, F1, F2 and F3, divided by 1000.
        order: order of the speakers: `file` (men, women, children), or the seed of a shuffle.
        train_speakers: number of speakers in the training set, the first in that order.
        test_speakers: number of speakers in the test set, the next ones.
        seed: ignored; every experiment passes one, but the data do not depend on it.

    Raises:
        ValueError: for an unknown vowel, input, coding or order, a repeated vowel or input, fewer
            than two vowels, or more speakers than there are.
    """

    version = 1  # increased when the same source would give different batches

    def __init__(
        self,
        vowels: Sequence[str] = ("iy", "ih", "aa", "ah"),
        coding: Coding = "aligned",
        features: Sequence[str] = ("F1", "F2"),
        order: Literal["file"] | int = "file",
        train_speakers: int = 50,
        test_speakers: int = 25,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.vowels = tuple(vowels)
        self.coding = coding
        self.features = tuple(features)
        self.order = order
        self.train_speakers = train_speakers
        self.test_speakers = test_speakers
        self.seed = seed
        self._check()

    def _check(self) -> None:
        """Refuse invalid arguments."""
        _known("vowels", self.vowels, VOWELS, at_least=2)
        _known("features", self.features, FEATURES, at_least=1)
        if self.coding not in (*CODES, "one_hot"):
            allowed = ", ".join((*CODES, "one_hot"))
            raise ValueError(f"data.coding={self.coding}: unknown; one of {allowed}")
        if self.order != "file" and not (isinstance(self.order, int) and self.order >= 0):
            raise ValueError(f"data.order={self.order}: must be file or a seed of at least 0")
        for name in ("train_speakers", "test_speakers"):
            if getattr(self, name) < 1:
                raise ValueError(f"data.{name}={getattr(self, name)}: must be at least 1")
        speakers = self.train_speakers + self.test_speakers
        if speakers > SPEAKERS:
            raise ValueError(
                f"data.train_speakers={self.train_speakers} and "
                f"data.test_speakers={self.test_speakers}: together at most {SPEAKERS}"
            )

    @cached_property
    def train(self) -> VowelBatch:
        """The training set."""
        return self._of(self._speakers[: self.train_speakers])

    @cached_property
    def test(self) -> VowelBatch:
        """The test set."""
        return self._of(self._speakers[self.train_speakers :])

    def train_dataloader(self) -> Whole:
        """Return the training set, repeated without end."""
        return Whole(self.train, endless=True)

    def val_dataloader(self) -> Whole:
        """Return the test set, once."""
        return Whole(self.test, endless=False)

    @property
    def tokens_per_batch(self) -> int:
        """Number of cases in the training set."""
        return len(self.train.x_TD)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the table and of everything that determines the cases."""
        chosen = [self.vowels, self.coding, self.features, self._speakers, self.train_speakers]
        return hashlib.sha256(PATH.read_bytes() + json.dumps(chosen).encode()).hexdigest()

    @cached_property
    def _speakers(self) -> list[int]:
        """The speakers of both sets, in order."""
        speakers = np.arange(1, SPEAKERS + 1)
        if self.order != "file":
            speakers = np.random.default_rng(self.order).permutation(speakers)
        chosen: list[int] = speakers[: self.train_speakers + self.test_speakers].tolist()
        return chosen

    def _of(self, speakers: list[int]) -> VowelBatch:
        """Return the cases of some speakers, in the order of the table."""
        rows = [
            row
            for row in table()
            if row["vowel"] in self.vowels and int(row["speaker"]) in speakers
        ]
        x_TD = [[float(row[name]) / HERTZ_PER_UNIT for name in self.features] for row in rows]
        vowel_T = torch.tensor([self.vowels.index(row["vowel"]) for row in rows])
        return VowelBatch(
            torch.tensor(x_TD, dtype=torch.float64),
            self._codes()[vowel_T],
            vowel_T,
            torch.tensor([int(row["speaker"]) for row in rows]),
        )

    def _codes(self) -> Tensor:
        """Return the target of each vowel."""
        number = len(self.vowels)
        if self.coding == "one_hot":
            return torch.eye(number, dtype=torch.float64)
        codes = [CODES[self.coding][place % 4] for place in range(number)]
        return torch.tensor(codes, dtype=torch.float64)[:, None]


@cache
def table() -> list[dict[str, str]]:
    """Return the 1520 rows: speaker, group, vowel, repetition, F0, F1, F2, F3."""
    with PATH.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _known(key: str, given: tuple[str, ...], allowed: tuple[str, ...], at_least: int) -> None:
    """Refuse unknown or repeated names, or too few of them."""
    if unknown := [name for name in given if name not in allowed]:
        raise ValueError(f"data.{key}={','.join(unknown)}: unknown; one of {', '.join(allowed)}")
    if len(set(given)) < max(at_least, len(given)):
        raise ValueError(f"data.{key}={','.join(given)}: needs {at_least} or more, without repeats")
