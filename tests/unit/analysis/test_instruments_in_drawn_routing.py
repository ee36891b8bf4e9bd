"""Instruments find what is there, in routing that is drawn by known rules."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from moebench.analysis import Choices
from moebench.analysis.coactivation import Agreement
from moebench.analysis.repeats import Repeats
from moebench.analysis.saturation import Saturation

from .fakes import decision, mixed, normalised, seen, zipf

L = 16  # tokens of a window
BATCH = 25  # windows
EXPERTS = 8
TOKENS = (800, 12800)


def choices(expert_BL: Tensor, experts: int = EXPERTS) -> Choices:
    return Choices.of(decision(expert_BL.flatten(), experts), len(expert_BL))


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("stay", [0.0, 0.3])
def test_neighbours_repeat_as_their_chain_does(stay: float, tokens: int) -> None:
    """The expert stays with some chance and is drawn anew otherwise: after d tokens, stay ** d."""
    chance = torch.Generator().manual_seed(tokens)
    expert_BL = torch.randint(EXPERTS, (tokens // L, L), generator=chance)
    for place in range(1, L):
        stays_B = torch.rand(tokens // L, generator=chance) < stay
        expert_BL[:, place] = torch.where(stays_B, expert_BL[:, place - 1], expert_BL[:, place])
    repeats = Repeats(1, 1)
    repeats.add(seen(choices(expert_BL)))
    found = repeats.findings(0)
    anywhere = [stay ** abs(i - j) for i in range(L) for j in range(L) if i != j]
    truth = (1 - 1 / EXPERTS) * (stay - np.mean(anywhere))
    for name in ("first", "any"):
        assert abs(found[f"{name}_excess"] - truth) < 3.5 * found[f"{name}_se"]


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("alike", [0.0, 0.3, 1.0])
def test_layers_agree_as_far_as_they_do(alike: float, tokens: int) -> None:
    """The second layer follows the first with some chance and draws anew otherwise."""
    chance = torch.Generator().manual_seed(tokens)
    even_E = torch.full((EXPERTS,), 1 / EXPERTS, dtype=torch.double)
    truth = normalised(mixed(even_E.outer(even_E), even_E.diag(), alike))
    agreement = Agreement([EXPERTS, EXPERTS])
    for _ in range(tokens // L // BATCH):
        first_BL, second_BL = torch.randint(EXPERTS, (2, BATCH, L), generator=chance)
        follows_BL = torch.rand(BATCH, L, generator=chance) < alike
        second_BL = torch.where(follows_BL, first_BL, second_BL)
        agreement.add(seen(choices(first_BL), choices(second_BL)))
    assert agreement.findings()[0][1] == pytest.approx(truth, abs=1.2 / math.sqrt(tokens))


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_saturation_beyond_chance_is_what_was_kept(kept: float, tokens: int) -> None:
    """Both states favour the same few experts; the later one keeps a choice with some chance."""
    chance, favour_E = torch.Generator().manual_seed(tokens), zipf(EXPERTS)
    drawn = favour_E.expand(2 * tokens, -1).multinomial(1, generator=chance).view(2, -1, L)
    keeps_BL = torch.rand(drawn[0].shape, generator=chance) < kept
    saturation = Saturation([EXPERTS])
    saturation.add([choices(drawn[0])], [choices(torch.where(keeps_BL, drawn[0], drawn[1]))])
    found = saturation.findings(0)
    alike = float(favour_E @ favour_E)
    error = 3.5 * math.sqrt(0.25 / tokens)
    assert found["chance"] == pytest.approx(alike, abs=error)
    assert found["saturation"] - found["chance"] == pytest.approx(kept * (1 - alike), abs=error)
    assert found["first"] == pytest.approx(found["saturation"])
