"""The vowel data: the table against Praat's, sets and codings by hand, refusals."""

from itertools import islice

import numpy as np
import pytest
import torch

from reproductions.jacobs_1991.vowels import FEATURES, VOWELS, Vowels, table


def test_the_table_is_praats() -> None:
    pytest.importorskip("parselmouth")
    from parselmouth.praat import call

    praat = call("Create formant table (Peterson & Barney 1952)")

    def cell(row: int, name: str) -> str:
        return call(praat, "Get value", row, name)

    rows = range(1, call(praat, "Get number of rows") + 1)
    names = ("Speaker", "Type", "Vowel", *FEATURES)
    expected = [[cell(row, name) for name in names] for row in rows]
    letter = {"man": "m", "woman": "w", "child": "c"}
    found = [
        [row["speaker"], letter[row["group"]], row["vowel"], *(row[name] for name in FEATURES)]
        for row in table()
    ]
    assert found == expected


def test_the_table_is_complete() -> None:
    assert len(table()) == 1520
    spoken = {(row["speaker"], row["vowel"], row["repetition"]) for row in table()}
    assert len(spoken) == 76 * 10 * 2
    speakers = {row["speaker"]: row["group"] for row in table()}
    count = {group: list(speakers.values()).count(group) for group in speakers.values()}
    assert count == {"man": 33, "woman": 28, "child": 15}
    assert {row["vowel"] for row in table()} == set(VOWELS)


def test_the_first_case_by_hand() -> None:
    # Row 1 of the table: speaker 1, heed, F0 160, F1 240, F2 2280, F3 2850 hertz.
    data = Vowels(features=("F0", "F1", "F2", "F3"))
    assert data.train.x_TD[0].tolist() == [0.160, 0.240, 2.280, 2.850]
    assert Vowels().train.x_TD[0].tolist() == [0.240, 2.280]
    assert data.train.x_TD.dtype == data.train.target_TC.dtype == torch.float64
    assert (data.train.vowel_T[0], data.train.speaker_T[0]) == (0, 1)


def test_the_sets_of_the_paper() -> None:
    data = Vowels()
    assert data.train.speaker_T.unique().tolist() == list(range(1, 51))
    assert data.test.speaker_T.unique().tolist() == list(range(51, 76))
    assert len(data.train.x_TD) == data.tokens_per_batch == 50 * 4 * 2
    assert len(data.test.x_TD) == 25 * 4 * 2
    assert data.train.vowel_T.bincount().tolist() == [100] * 4


def test_shuffled_speakers_are_complete_and_disjoint() -> None:
    sets = [Vowels(order=seed) for seed in (1, 2)]
    for data in sets:
        train, test = (set(part.speaker_T.tolist()) for part in (data.train, data.test))
        assert (len(train), len(test), len(train & test)) == (50, 25, 0)
    assert not torch.equal(sets[0].train.speaker_T, sets[1].train.speaker_T)
    expected = np.random.default_rng(1).permutation(np.arange(1, 77))[:50]
    assert set(sets[0].train.speaker_T.tolist()) == set(expected.tolist())


@pytest.mark.parametrize(
    ("coding", "vowels", "expected"),
    [
        ("aligned", ("iy", "ih", "aa", "ah"), [[0], [1], [1], [0]]),
        ("anti", ("iy", "ih", "aa", "ah"), [[0], [1], [0], [1]]),
        ("anti", ("ah", "aa", "ih", "iy"), [[0], [1], [0], [1]]),
        ("aligned", ("iy", "ih", "eh", "ae", "ah"), [[0], [1], [1], [0], [0]]),
        ("one_hot", ("er", "uw", "iy"), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]),
    ],
)
def test_codings(coding: str, vowels: tuple[str, ...], expected: list[list[int]]) -> None:
    batch = Vowels(vowels=vowels, coding=coding).train
    for vowel, target in enumerate(expected):
        assert batch.target_TC[batch.vowel_T == vowel].unique(dim=0).tolist() == [target]
    row = next(row for row in table() if row["vowel"] == vowels[0])
    first = batch.x_TD[batch.vowel_T == 0][0]
    assert first.tolist() == [float(row["F1"]) / 1000, float(row["F2"]) / 1000]


def test_loaders_give_the_whole_set() -> None:
    data = Vowels()
    endless = list(islice(iter(data.train_dataloader()), 5))
    assert all(batch is data.train for batch in endless)
    assert list(data.val_dataloader()) == [data.test]


def test_the_hash_depends_on_what_matters() -> None:
    choices = [
        {},
        {"coding": "anti"},
        {"vowels": ("iy", "ih", "ah", "aa")},
        {"features": ("F2", "F1")},
        {"order": 1},
        {"order": 2},
        {"train_speakers": 49},
        {"test_speakers": 26},
    ]
    assert len({Vowels(**choice).content_hash for choice in choices}) == len(choices)
    assert Vowels(seed=0).content_hash == Vowels(seed=7).content_hash


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vowels": ("iy", "a", "o")}, r"data\.vowels=a,o: unknown; one of iy, ih, eh, ae"),
        ({"vowels": ("iy", "iy")}, r"data\.vowels=iy,iy: needs 2 or more, without repeats"),
        ({"vowels": ("iy",)}, r"data\.vowels=iy: needs 2 or more"),
        ({"vowels": ()}, r"data\.vowels=: needs 2 or more"),
        ({"features": ("F1", "F4")}, r"data\.features=F4: unknown; one of F0, F1, F2, F3"),
        ({"features": ("F1", "F1")}, r"data\.features=F1,F1: needs 1 or more, without repeats"),
        ({"features": ()}, r"data\.features=: needs 1 or more"),
        ({"coding": "binary"}, r"data\.coding=binary: unknown; one of aligned, anti, one_hot"),
        ({"order": "random"}, r"data\.order=random: must be file or a seed of at least 0"),
        ({"order": -1}, r"data\.order=-1: must be file or a seed"),
        ({"train_speakers": 0}, r"data\.train_speakers=0: must be at least 1"),
        ({"test_speakers": 0}, r"data\.test_speakers=0: must be at least 1"),
        (
            {"train_speakers": 52},
            r"data\.train_speakers=52 and data\.test_speakers=25: together at most 76",
        ),
    ],
)
def test_refusals(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        Vowels(**arguments)
    assert "\n" not in str(refused.value)


def test_all_speakers_can_be_used() -> None:
    data = Vowels(train_speakers=75, test_speakers=1)
    assert data.test.speaker_T.tolist() == [76] * 8
