"""Routers with a state: updated only once per optimiser step, each by its own decisions."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.plugins.precision import MixedPrecision
from torch import Tensor, nn
from torch.utils.data import DataLoader

from moebench.data.contract import TextBatch
from moebench.models import MODELS, Decoder, EncoderDecoder, LstmMoE, RotaryDecoder
from moebench.models.decoder import DecoderShape
from moebench.models.lstm import SigmoidMixture
from moebench.models.t5_blocks import Shape
from moebench.moe import Sparse
from moebench.moe.decision import RoutingDecision
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import BiasBalanced, BiasedTopK, Hierarchical, Switch
from moebench.moe.step import RouterUpdates
from moebench.training.gradient_check import routers
from moebench.training.module import Training

from .fakes import asking

V, D, E = 11, 8, 4


class Counts(Switch):
    """Counts its updates in a buffer, and records their arguments and what had happened by then."""

    def __init__(self, dim: int, num_experts: int = E) -> None:
        super().__init__(dim, num_experts, jitter=0.0)
        self.register_buffer("updates", torch.zeros((), dtype=torch.int64))
        self.called: list[bool] = []  # in the mode of training?
        self.given: list[list[Tensor]] = []
        self.weights: list[Tensor] = []

    def forward(self, x_TD: Tensor) -> RoutingDecision:
        self.called.append(self.training)
        decision: RoutingDecision = super().forward(x_TD)
        return decision

    def update(self, decisions: Sequence[RoutingDecision]) -> None:
        assert not torch.is_grad_enabled()
        assert not any(decision.logits_TE.requires_grad for decision in decisions)
        self.updates += 1
        self.given.append([decision.logits_TE for decision in decisions])
        self.weights.append(self.score.weight.detach().clone())


def counted(steps: int, accumulate: int = 1, **settings: Any) -> list[Counts]:
    """Train a decoder of two mixtures and return its routers."""
    torch.manual_seed(0)
    sparse = Sparse(Counts, lambda dim, count: ReluMLP(dim, count, 8), every=1)
    shape = Shape(D, layers=2, heads=2, hidden=8)
    module = Training(V, lambda count: Decoder(count, shape, sparse), warmup_steps=1)
    batches = [batch(seed) for seed in range(steps * accumulate)]
    loader = DataLoader(batches, batch_size=None, collate_fn=lambda one: one)
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "logger": False}
    trainer = pl.Trainer(
        **{"accelerator": "cpu", "enable_checkpointing": False, "num_sanity_val_steps": 0},
        **{"max_steps": steps, "accumulate_grad_batches": accumulate, **quiet, **settings},
    )
    trainer.fit(module, loader, loader)
    return list(routers(module.network).values())


def batch(seed: int) -> TextBatch:
    ids_BL = torch.randint(V, (2, 5), generator=torch.Generator().manual_seed(seed))
    return TextBatch(ids_BL, ids_BL.roll(1, 1), None, torch.zeros(2, dtype=torch.long))


def test_once_a_step_with_the_decisions_of_all_its_batches() -> None:
    """Also for a last step of fewer batches; validation calls the routers and updates none."""
    for router in counted(steps=3, accumulate=2, limit_train_batches=5, max_epochs=1):
        assert [len(batches) for batches in router.given] == [2, 2, 1]
        assert router.called.count(False) == 6
        assert router.updates == 3
    first, second = counted(steps=2)
    assert not torch.equal(first.given[0][0], second.given[0][0]), "each has its own decisions"


def test_after_the_step_of_the_optimiser() -> None:
    for router in counted(steps=2):
        for logits_TE, now_ED in zip(router.given, router.weights, strict=True):
            assert logits_TE[0].shape == (10, E)
            assert now_ED.shape == (E, D)
        assert not torch.equal(*router.weights)
        assert torch.equal(router.weights[-1], router.score.weight), "nothing moved after it"


class Moved(pl.Callback):
    """Counts the steps that moved a weight."""

    def __init__(self) -> None:
        self.steps, self.before = 0, torch.empty(0)

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, *_: object) -> None:
        self.before = pl_module.network.embedding.weight.detach().clone()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, *_: object) -> None:
        self.steps += not torch.equal(self.before, pl_module.network.embedding.weight)


def test_not_for_a_step_that_mixed_precision_skipped() -> None:
    """The first scales are so large that gradients overflow."""
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**30)
    moved = Moved()
    plugins = [MixedPrecision("16-mixed", "cpu", scaler)]
    for router in counted(steps=30, plugins=plugins, callbacks=[moved], limit_val_batches=0):
        assert 0 < moved.steps < 30
        assert router.updates == moved.steps


def test_a_skipped_step_leaves_nothing_to_the_next() -> None:
    router, skipped, made = Counts(D), asking(0), asking(1)
    updates = RouterUpdates([router])
    updates.add([skipped])
    updates.discard()
    updates.add([made])
    updates.apply()
    [[logits_TE]] = router.given
    assert torch.equal(logits_TE, made.logits_TE)


def test_decisions_are_kept_only_for_routers_with_a_state() -> None:
    updates = RouterUpdates([Switch(D, E)])
    updates.add([asking(0), asking(1)])
    assert not updates.needed
    assert not updates._batches


def test_a_router_with_a_state_in_two_layers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"makes 2 decisions with 1 routers; .* see moebench/moe/"):
        RouterUpdates([Counts(D)]).add([asking(0), asking(1)])


def test_a_state_that_training_cannot_find_is_refused() -> None:
    class Hidden(nn.Module):
        def __init__(self, vocabulary: int) -> None:
            super().__init__()
            self.gate = BiasBalanced(D, lambda dim: BiasedTopK(dim, E, 1))

    line = "network=Hidden: holds the router BiasBalanced in no attribute `router`, .*models/contr"
    with pytest.raises(ValueError, match=line):
        Training(V, Hidden)


SPARSE = Sparse(lambda dim: Switch(dim, E), lambda dim, count: ReluMLP(dim, count, 8), every=1)
ATTENTION = Sparse(SPARSE.router, lambda dim, count: ReluMLP(dim, count, 8), every=2)
SMALL = Shape(D, layers=2, heads=2, hidden=8)
MADE: dict[str, Callable[[], nn.Module]] = {
    "decoder": lambda: Decoder(V, SMALL, SPARSE, ATTENTION),
    "encoder_decoder": lambda: EncoderDecoder(V, SMALL, SPARSE, ATTENTION),
    "lstm_moe": lambda: LstmMoE(
        V, middle=lambda dim: SigmoidMixture(dim, SPARSE.router, SPARSE.experts)
    ),
    "rotary_decoder": lambda: RotaryDecoder(
        V, DecoderShape(D, layers=2, heads=2, hidden=8), SPARSE
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_decisions_come_in_the_order_of_the_routers(name: str) -> None:
    network = MADE[name]()
    found, made = list(routers(network).values()), {}
    for router in found:
        router.register_forward_hook(lambda by, _, decision: made.update({id(decision): by}))
    ids_BL = torch.arange(10).view(2, 5)
    decisions = network(SimpleNamespace(input_BL=ids_BL, context_BL=ids_BL)).decisions
    assert found
    assert [made[id(decision)] for decision in decisions] == found


class Hides(nn.Module):
    """A wrapper that keeps its router where no update reaches it."""

    num_experts = E

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner


def test_a_wrapper_that_updates_nothing_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"router=Hides: does not update its Counts, see moebench/"
    ):
        RouterUpdates([Hides(Counts(D))])
    two_levels = Hierarchical(D, E, 2, Switch, Switch)
    assert not RouterUpdates([Hides(two_levels)]).needed, "which has nothing to update"
