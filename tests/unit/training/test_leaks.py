"""What routers of causal models leak: found, reported in one line, ended by one setting."""

import logging
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from moebench.models.decoder import DecoderShape, RotaryDecoder
from moebench.models.encoder_decoder import Decoder, EncoderDecoder
from moebench.models.lstm import LstmMoE, SigmoidMixture
from moebench.models.t5_blocks import Shape
from moebench.moe import Capacity, Limited, Sparse
from moebench.moe.capacity.overflow import NextExpert
from moebench.moe.decision import RoutingDecision
from moebench.moe.experts import ReluMLP, SwiGLU
from moebench.moe.routers import Batchwise, Switch, TopK
from moebench.moe.sees import Sees
from moebench.training.leaks import in_words, leaks, report_leaks

V, D, E, L = 13, 16, 4, 8
Router = Callable[[int], nn.Module]


def batch(sequences: int = 3) -> SimpleNamespace:
    ids_BL = torch.arange(sequences * L).view(sequences, L) % V
    return SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL.roll(-1, 1), context_BL=ids_BL)


def limited(priority: str = "choice", group: int | None = None, rule: object = None) -> Router:
    rules = {} if rule is None else {"overflow": rule}
    capacity = Capacity(factor=0.75, minimum=1, priority=priority, group=group)
    return lambda dim: Limited(dim, lambda width: Switch(width, E, jitter=0.0), capacity, **rules)


def experts(dim: int, count: int) -> nn.Module:
    return ReluMLP(dim, count, 8)


def decoder(router: Router) -> nn.Module:
    return Decoder(V, Shape(D, layers=4, heads=2, hidden=8), Sparse(router, experts))


@pytest.mark.parametrize(
    ("router", "found"),
    [
        (lambda dim: Switch(dim, E), ""),
        (lambda dim: TopK(dim, E), ""),
        (limited("choice"), "other sequences"),
        (limited("position"), "other sequences"),
        (limited("score"), "later tokens, other sequences"),
        (limited("score", L), "later tokens"),
        (limited("random", L), "later tokens"),
        (limited("choice", L, NextExpert), "later tokens"),
        (limited("choice", L), ""),
        (limited("choice", L // 2), ""),
        (limited("choice", 2 * L), "other sequences"),
        (limited("choice", L - 2), "other sequences"),
        (lambda dim: Batchwise(dim, E), "later tokens, other sequences"),
    ],
)
def test_what_leaks_in_a_decoder(router: Router, found: str) -> None:
    network = decoder(router)
    assert in_words(leaks(network, batch()).values()) == found
    assert sorted(leaks(network, batch())) == ([0, 1] if found else [])


def test_a_leak_in_evaluation_alone_is_a_leak() -> None:
    """`valid/loss` could fall below that of any model that writes."""
    room, queue = Capacity(factor=E), Capacity(factor=0.75, minimum=1, priority="score", group=L)
    for training, evaluation, found in ((room, queue, Sees.LATER), (room, room, None)):
        network = decoder(
            lambda dim, one=training, other=evaluation: Limited(
                dim, lambda width: Switch(width, E), one, eval_capacity=other
            )
        )
        assert leaks(network, batch()).get(0) == found


def test_a_sequence_alone_has_no_others() -> None:
    assert not leaks(decoder(limited("choice")), batch(1))
    assert leaks(decoder(limited("score")), batch(1)) == {0: Sees.LATER, 1: Sees.LATER}


def test_an_encoder_may_see_all_tokens() -> None:
    shape = Shape(D, layers=2, heads=2, hidden=8)
    network = EncoderDecoder(V, shape, Sparse(limited("score"), experts))
    assert leaks(network, batch()) == {1: Sees.LATER | Sees.OTHERS}, "layer 0 is the encoder's"


def test_every_model_of_the_next_token_is_causal() -> None:
    sparse = Sparse(limited("score"), lambda dim, count: SwiGLU(dim, count, 8), every=1)
    mixtral = RotaryDecoder(V, DecoderShape(D, layers=1, heads=4, hidden=8), sparse)
    assert list(leaks(mixtral, batch())) == [0]
    lstm = LstmMoE(V, middle=lambda dim: SigmoidMixture(dim, limited("score"), experts))
    assert list(leaks(lstm, batch())) == [0]


def test_later_tokens_change_the_predictions_where_a_leak_is_named_and_nowhere_else() -> None:
    """The whole model, in evaluation: what it says of the first half of a text."""
    for router, causal in [
        (limited("score"), False),
        (limited("score", L), False),
        (limited("choice", L, NextExpert), False),
        (limited("choice", L), True),
        (limited("choice"), True),
    ]:
        torch.manual_seed(0)
        network = decoder(router).eval()
        read, moved = batch(), False
        for seed in range(20):
            generator = torch.Generator().manual_seed(seed)
            one, other = torch.randint(V, (2, 3, L), generator=generator).unbind()
            # Of the last sequence alone, and its own tokens: no other sequence comes after it.
            other[:-1], other[-1, : L // 2] = one[:-1], one[-1, : L // 2]
            read.input_BL = one
            before = network(read).prediction[-1, : L // 2]
            read.input_BL = other
            moved |= not torch.allclose(network(read).prediction[-1, : L // 2], before, atol=1e-5)
        assert moved != causal


class Silent(Switch):
    """A custom router that does not declare what it sees."""

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        decision: RoutingDecision = super().forward(x_TD)
        return decision


@pytest.mark.parametrize(
    ("router", "line"),
    [
        (
            limited("choice"),
            "routing in layers 0, 1 depends on other sequences, which a causal model does not have "
            "when it generates text; set capacity.group=8 to keep sequences apart",
        ),
        (
            limited("score", L),
            "routing in layers 0, 1 depends on later tokens, which a causal model does not have "
            "when it generates text; use capacity.priority=position and overflow=Drop to leave "
            "later tokens out",
        ),
        (
            lambda dim: Batchwise(dim, E),
            "routing in layers 0, 1 depends on later tokens and other sequences, which a causal "
            "model does not have when it generates text",
        ),
        (
            lambda dim: Silent(dim, E),
            "unknown whether layers 0, 1 leak: Silent has no attribute `sees`, see "
            "moebench/moe/contract.py",
        ),
        (limited("choice", L), ""),
    ],
)
def test_a_leak_is_reported_in_one_line(
    router: Router, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        report_leaks(decoder(router), batch())
    assert [record.getMessage() for record in caplog.records] == ([line] if line else [])


def test_a_batch_without_sequences_cannot_leak() -> None:
    assert not leaks(decoder(limited("score")), SimpleNamespace(x_TD=torch.zeros(3, D)))


def test_no_group_keeps_padded_sequences_apart(caplog: pytest.LogCaptureFixture) -> None:
    """Their real tokens follow one another, wherever a sequence ends."""
    padded = batch()
    padded.mask_BL = torch.arange(L) < torch.tensor([[L], [3], [5]])
    network = decoder(limited("choice", L))
    assert in_words(leaks(network, padded).values()) == "other sequences"
    report_leaks(network, padded)
    assert "capacity.group" not in caplog.text
    assert not leaks(decoder(lambda dim: Switch(dim, E)), padded)
