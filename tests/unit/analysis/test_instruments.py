"""Other instruments by hand: co-activation, agreement of layers, certainty, saturation."""

import numpy as np
import pytest
import torch

from moebench.analysis import Choices, Instruments, Labels, count_tokens, metrics
from moebench.analysis.certainty import Certainty
from moebench.analysis.coactivation import Agreement, CoActivation
from moebench.analysis.saturation import Saturation
from moebench.moe.decision import tokens_choose
from moebench.moe.routers import TopK

from .fakes import E, chosen, seen


def test_experts_requested_together() -> None:
    together = CoActivation([E])
    together.add(seen(chosen([(0, 1), (0, 2), (1, 0), (3, 2)])))
    found = together.findings(0)["co_activation"]
    assert found[0] == pytest.approx([0, 2 / 3, 1 / 3, 0])
    assert found[3] == pytest.approx([0, 0, 1, 0])


def test_layers_agree_whatever_experts_are_called() -> None:
    agreement = Agreement([E, E, 2])
    one = chosen([(0,), (1,), (2,), (3,)])
    renamed = chosen([(2,), (3,), (0,), (1,)])
    constant = chosen([(1,)] * 4, experts=2)
    agreement.add(seen(one, renamed, constant))
    found = agreement.findings()
    assert found[0] == pytest.approx([1, 1, 0])
    assert np.array(found) == pytest.approx(np.array(found).T)


def test_identical_layers_agree_fully_whatever_the_chance_level() -> None:
    """In so short a text the null, too, seems to carry information."""
    generator = torch.Generator().manual_seed(0)
    expert_BL = torch.randint(E, (6, 5), generator=generator)
    alike = chosen(*[[(expert,) for expert in window] for window in expert_BL.tolist()])
    agreement = Agreement([E, E])
    agreement.add(seen(alike, alike))
    assert agreement.findings()[0][1] == pytest.approx(1)


def test_layers_are_compared_on_tokens_that_both_route() -> None:
    """Tokens without an expert, as thresholds may leave some, do not count."""
    generator = torch.Generator().manual_seed(0)
    whole = torch.randint(E, (6, 5), generator=generator).tolist()
    renamed = [
        [(e + 1) % E if (b + t) % 3 else None for t, e in enumerate(w)] for b, w in enumerate(whole)
    ]
    layers = [
        chosen(*[[() if e is None else (e,) for e in window] for window in windows])
        for windows in (whole, renamed)
    ]
    for pair in (layers, layers[::-1]):
        agreement = Agreement([E, E])
        agreement.add(seen(*pair))
        assert agreement.findings()[0][1] == pytest.approx(1)


def test_certainty_by_hand() -> None:
    choices = chosen([(0,), (1,)], experts=3)
    probs = torch.tensor([[[0.5, 0.25, 0.25], [0.1, 0.9, 0.0]]])
    certainty = Certainty(1)
    certainty.add(seen(Choices(choices.chosen_BLE, choices.first_BL, probs)))
    found = certainty.findings(0)
    assert found["confidence"] == pytest.approx(0.7)
    assert found["margin"] == pytest.approx((0.25 + 0.8) / 2)
    entropies = [1.5 * np.log(2), -0.1 * np.log(0.1) - 0.9 * np.log(0.9)]
    assert found["entropy"] == pytest.approx(np.mean(entropies), rel=1e-6)
    assert sum(found["margin_histogram"]) == pytest.approx(1)


def test_the_margin_of_two_experts_and_of_a_single_one() -> None:
    for probs, margin in (([0.7, 0.3], 0.4), ([1.0], 1.0)):
        choices = chosen([(0,)], experts=len(probs))
        certainty = Certainty(1)
        certainty.add(seen(Choices(choices.chosen_BLE, choices.first_BL, torch.tensor([[probs]]))))
        assert certainty.findings(0)["margin"] == pytest.approx(margin)


def test_shuffled_windows_keep_their_domains() -> None:
    """Of two batches of two windows each; neighbours repeat in the second domain alone."""
    labels = Labels(torch.tensor([0, 0, 0, 1]), ("a", "b"))
    ids_BL = torch.zeros(2, 2, dtype=torch.int64)
    text = count_tokens([(ids_BL, labels.read(start, 2)[0]) for start in (0, 2)], 1, 2)
    instruments = Instruments([E], labels, text)
    for second in (1, 0):  # expert of the second token in the second window
        experts = torch.tensor([0, 1, 0, second])
        probs = torch.full((4, E), 0.25)
        decision = tokens_choose(probs.log(), probs, experts[:, None], torch.ones(4, 1))
        instruments.add(ids_BL, [decision])
        instruments.add_shuffled([decision], 2)
    [found] = instruments.findings()["layers"]
    assert found["disordered"]["by_domain"]["first"] == [0, 1]
    assert found["disordered"] == found["repeats"]


def test_saturation_by_hand() -> None:
    saturation = Saturation([E])
    before = chosen([(0, 1), (2, 3)])
    after = chosen([(0, 2), (3, 2)])
    saturation.add([before], [after])
    assert saturation.findings(0) == pytest.approx(
        {"saturation": 3 / 4, "chance": 1 / 2, "first": 1 / 2}
    )


def test_batches_of_any_size_find_the_same() -> None:
    torch.manual_seed(0)
    router = TopK(6, 5, 2)
    labels = Labels(torch.arange(12) % 3, ("a", "b", "c"))
    ids = torch.randint(0, 7, (12, 9))
    x_BLD = torch.randn(12, 9, 6)
    found = []
    for size in (12, 5):
        batches = zip(ids.split(size), (torch.arange(12) % 3).split(size), strict=True)
        instruments = Instruments([5], labels, count_tokens(batches, 7, 3))
        for start in range(0, 12, size):
            decision = router(x_BLD[start : start + size].flatten(0, 1))
            instruments.add(ids[start : start + size], [decision])
            instruments.add_shuffled([decision], len(ids[start : start + size]))
        found.append(metrics(instruments.findings()))
    shuffled = [name for name in found[0] if "null" in name or "information" in name]
    for name in shuffled:  # other windows are those of one batch
        assert found[0].pop(name) == pytest.approx(found[1].pop(name), abs=0.1)
    assert found[0] == pytest.approx(found[1])
    assert {name.split("/")[1] for name in found[0]} == {"0"}
