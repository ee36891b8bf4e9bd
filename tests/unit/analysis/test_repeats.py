"""How often neighbouring tokens go to the same expert, by hand and at the level of chance."""

from itertools import pairwise, permutations

import numpy as np
import pytest
import torch

from moebench.analysis import Choices
from moebench.analysis.repeats import Repeats, any_repeats, first_repeats
from moebench.analysis.routed_batch import NO_EXPERT
from moebench.moe.decision import RoutingDecision, tokens_choose

from .fakes import E, chosen, seen


def test_choices_are_read_from_a_decision() -> None:
    logits_TE = torch.tensor([[0.0, 1.0, 2.0, 3.0], [9.0, 1.0, 2.0, 0.0]])
    decision = tokens_choose(
        logits_TE,
        logits_TE.softmax(-1),
        torch.tensor([[3, 2], [0, 2]]),
        torch.tensor([[0.7, 0.3], [0.9, 0.1]]),
    )
    choices = Choices.of(decision, windows=1)
    assert choices.first_BL.tolist() == [[3, 0]]
    assert choices.chosen_BLE.nonzero()[:, 1:].tolist() == [[0, 2], [0, 3], [1, 0], [1, 2]]


def test_a_token_without_requests_has_no_first_choice() -> None:
    decision = RoutingDecision(
        logits_TE=torch.zeros(2, E),
        probs_TE=torch.full((2, E), 0.25),
        token_A=torch.tensor([1, 1]),
        expert_A=torch.tensor([2, 0]),
        weight_A=torch.tensor([0.2, 0.6]),
        kept_A=torch.tensor([True, False]),
    )
    assert Choices.of(decision, windows=2).first_BL.tolist() == [[NO_EXPERT], [0]]


def test_requests_count_whatever_the_capacity() -> None:
    """The second token wanted expert 0, as the first did, and was moved to expert 3."""
    decision = RoutingDecision(
        logits_TE=torch.zeros(2, E),
        probs_TE=torch.full((2, E), 0.25),
        token_A=torch.tensor([0, 1]),
        expert_A=torch.tensor([0, 3]),
        weight_A=torch.tensor([0.25, 0.25]),
        kept_A=torch.tensor([True, True]),
        original_expert_A=torch.tensor([0, 0]),
    )
    choices = Choices.of(decision, windows=1)
    assert choices.first_BL.tolist() == [[0, 0]]
    assert choices.chosen_BLE.nonzero()[:, 2].tolist() == [0, 0]


def test_repeats_by_hand_and_their_null_over_all_shuffles() -> None:
    window = [(0, 1), (0, 2), (1, 3), (1, 0), (2, 0)]
    choices = chosen(window)
    share, null = first_repeats(choices)
    assert share.item() == pytest.approx(2 / 4)
    orders = [[token[0] for token in order] for order in permutations(window)]
    mean = np.mean([[a == b for a, b in pairwise(o)] for o in orders])
    assert null.item() == pytest.approx(mean)
    share, null = any_repeats(choices)
    assert share.item() == pytest.approx(3 / 4)
    overlaps = [[bool({*a} & {*b}) for a, b in pairwise(order)] for order in permutations(window)]
    assert null.item() == pytest.approx(np.mean(overlaps))


def test_tokens_without_an_expert_repeat_nothing() -> None:
    choices = chosen([(), (), (1,), (1,), ()])
    share, null = first_repeats(choices)
    assert share.item() == pytest.approx(1 / 4)
    assert null.item() == pytest.approx(2 / 20)
    assert [part.item() for part in any_repeats(choices)] == pytest.approx([1 / 4, 2 / 20])


def test_repeats_by_domain_and_their_standard_error() -> None:
    repeats = Repeats(1, domains=2)
    same, other = [(0,), (0,), (1,)], [(0,), (1,), (0,)]  # both with a null of 1 / 3
    choices = chosen(same, other, same)
    repeats.add(seen(choices, domains=[0, 1, 1]))
    found = repeats.findings(0)
    assert found["first"] == pytest.approx(1 / 3)
    assert found["first_null"] == pytest.approx(1 / 3)
    assert found["by_domain"]["first"] == pytest.approx([1 / 2, 1 / 4])
    excess = [1 / 2 - 1 / 3, -1 / 3, 1 / 2 - 1 / 3]
    assert found["first_se"] == pytest.approx(np.std(excess) / 3**0.5)


def test_uniform_random_routing_repeats_at_the_chance_level() -> None:
    generator = torch.Generator().manual_seed(0)
    logits_TE = torch.randn(200 * 64, 8, generator=generator)
    expert_TK = logits_TE.topk(2).indices
    decision = tokens_choose(logits_TE, logits_TE.softmax(-1), expert_TK, torch.ones(12800, 2))
    repeats = Repeats(1, domains=1)
    repeats.add(seen(Choices.of(decision, 200)))
    found = repeats.findings(0)
    # Mixtral's own figures for chance with eight experts, two a token.
    assert found["any_null"] == pytest.approx(1 - 15 / 28, abs=0.01)
    assert abs(found["any_excess"]) < 3 * found["any_se"]
    assert abs(found["first_excess"]) < 3 * found["first_se"]
