"""Measurements while mixtures train."""

import pytest
import torch

from reproductions.jacobs_1991.mechanisms import EVERY, mean_cosine, parting


def test_a_mean_cosine_by_hand() -> None:
    same_SECD = torch.tensor([[1.0, 2.0, 3.0]]).expand(1, 4, 3)[:, :, None]
    assert mean_cosine(same_SECD) == pytest.approx(1.0)
    # Of three vectors two are opposite and one is at a right angle to both: (-1 + 0 + 0) / 3.
    mixed_SECD = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]], [[0.0, 1.0]]])[None]
    assert mean_cosine(mixed_SECD) == pytest.approx(-1 / 3)


@pytest.mark.parametrize(
    ("unequal", "ended", "drop"),
    [
        ((0, 0, 0, 1, 1), (0, 0, 0, 0, 1), 3),
        ((1, 1, 1, 1, 1), (0, 0, 0, 0, 1), 0),  # before they agree most
        ((0, 0, 0, 0, 0), (0, 0, 0, 0, 1), 1),  # never
        ((0, 0, 0, 1, 1), (0, 0, 1, 1, 1), 1),  # not before the end
    ],
)
def test_how_experts_part_by_hand(
    unequal: tuple[int, ...], ended: tuple[int, ...], drop: int
) -> None:
    """They agree most at the second measurement, unless measurements after the end count."""
    agreement_N = torch.tensor([0.1, 0.8, 0.5, 0.7, 0.6]) + 0.2 * torch.tensor(ended).roll(1)
    found = parting(agreement_N, torch.tensor(unequal).bool(), torch.tensor(ended).bool())
    assert found == {
        "agreement_epoch": EVERY,
        "agreement": pytest.approx(0.8),
        "drop_epoch": drop * EVERY,
        "lead": (drop - 1) * EVERY,
    }
