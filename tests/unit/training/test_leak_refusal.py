"""Causal models whose experts choose by later tokens: refused in one line, unless asked for."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from moebench.models.encoder_decoder import Decoder, EncoderDecoder
from moebench.models.t5_blocks import Shape
from moebench.moe import Capacity, Limited, Sparse
from moebench.moe.decision import RoutingDecision
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import Batchwise, ExpertChoice, Hierarchical, Switch, Tempered, TopK
from moebench.moe.sees import Sees
from moebench.training.leak_refusal import refuse_leaks
from moebench.training.leaks import report_leaks
from moebench.training.module import Training

V, D, E, L = 13, 16, 4, 8
Router = Callable[[int], nn.Module]


def experts(dim: int, count: int) -> nn.Module:
    return ReluMLP(dim, count, 8)


def decoder(router: Router) -> nn.Module:
    return Decoder(V, Shape(D, layers=4, heads=2, hidden=8), Sparse(router, experts))


def queued(dim: int) -> nn.Module:
    """A queue that sees later tokens; a setting would keep it in order."""
    capacity = Capacity(factor=0.75, minimum=1, priority="score")
    return Limited(dim, lambda width: Switch(width, E), capacity)


class Silent(Switch):
    """A custom router that does not declare what it sees."""

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        decision: RoutingDecision = super().forward(x_TD)
        return decision


def chosen(**given: object) -> Router:
    return lambda dim: ExpertChoice(dim, E, **given)


def one_of(dim: int, count: int) -> nn.Module:
    return ExpertChoice(dim, count, k=1)


class Peeking(Switch):
    """A custom router that says that it sees later tokens, and has no key that allows it."""

    sees = Sees.SEQUENCE

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        decision: RoutingDecision = super().forward(x_TD)
        return decision


class Ahead(nn.Module):
    """A wrapper that sees what the router in it does not."""

    sees = Sees.LATER

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.router, self.num_experts = Switch(dim, E), E

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        decision: RoutingDecision = self.router(x_TD.roll(-1, dims=0))
        return decision


class Asked(Ahead):
    """The same, which a causal model may have."""

    sees = Sees.LATER
    allow_leaks = True

    def forward(self, x_TD: torch.Tensor) -> RoutingDecision:
        return super().forward(x_TD)


@pytest.mark.parametrize(
    ("router", "name"),
    [
        (chosen(), "ExpertChoice"),
        (chosen(group=L), "ExpertChoice"),
        (lambda dim: Tempered(dim, chosen(group=L), 2.0), "ExpertChoice"),
        (lambda dim: Limited(dim, chosen(), Capacity(factor=E)), "ExpertChoice"),
        (lambda dim: Hierarchical(dim, E, 2, TopK, one_of), "ExpertChoice"),
        (lambda dim: Peeking(dim, E), "Peeking"),
        (Ahead, "Ahead"),
    ],
)
def test_choice_by_later_tokens_is_refused_in_one_line(router: Router, name: str) -> None:
    network = decoder(router)
    with pytest.raises(ValueError, match="allow_leaks") as refusal:
        refuse_leaks(network)
    ways = {
        "ExpertChoice": "set allow_leaks=true, and group to data.length to keep sequences apart",
    }
    own = "give it an attribute allow_leaks that is true"
    assert str(refusal.value) == (
        f"router={name}: chooses by later tokens, in validation too, so the losses of a causal "
        f"model leak; to train it nonetheless {ways.get(name, own)}"
    )


@pytest.mark.parametrize(
    "router",
    [
        chosen(allow_leaks=True),
        lambda dim: Tempered(dim, chosen(allow_leaks=True), 2.0),
        chosen(k=E),  # every expert takes every token
        Asked,
        queued,
        lambda dim: Tempered(dim, queued, 2.0),
        lambda dim: Batchwise(dim, E),  # in training alone
        lambda dim: Silent(dim, E),  # nobody knows
    ],
)
def test_what_is_asked_for_or_leaks_otherwise_is_not_refused(router: Router) -> None:
    refuse_leaks(decoder(router))


def test_an_encoder_may_have_expert_choice() -> None:
    shape = Shape(D, layers=2, heads=2, hidden=8)
    sparse = Sparse(chosen(), experts)
    network = EncoderDecoder(V, shape, sparse)
    with pytest.raises(ValueError, match="allow_leaks"):  # its decoder may not
        refuse_leaks(network)
    network.decoder = nn.Identity()
    refuse_leaks(network)


def test_what_was_allowed_is_still_reported(caplog: pytest.LogCaptureFixture) -> None:
    ids_BL = torch.arange(3 * L).view(3, L) % V
    batch = SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL, context_BL=None)
    report_leaks(decoder(chosen(group=L, allow_leaks=True)), batch)
    assert caplog.messages == [
        "routing in layers 0, 1 depends on later tokens, which a causal model does not have when "
        "it generates text"
    ]


def test_training_refuses_it_before_the_first_step() -> None:
    with pytest.raises(ValueError, match=r"router=ExpertChoice: chooses by later"):
        Training(V, lambda _: decoder(chosen()))
    Training(V, lambda _: decoder(chosen(allow_leaks=True)))
