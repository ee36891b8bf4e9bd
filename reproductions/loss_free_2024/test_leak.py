"""The leak of expert choice: its routers, the loss without it, and what decides the claim."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from moebench.evidence.record import RunRecord
from moebench.experiment import load
from moebench.models.encoder_decoder import Decoder
from moebench.models.t5_blocks import Shape
from moebench.moe import Sparse
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import ExpertChoice, SoftmaxTopK
from moebench.papers import target
from moebench.papers.claim import VerdictLabel
from moebench.testing import RouterContract
from moebench.testing.verdicts import run
from moebench.verdict import judge
from reproductions.loss_free_2024.causal_choice import CausalChoice, by_token, choosing
from reproductions.loss_free_2024.leak_claims import (
    ARMS_LEAK,
    BY_NEXT,
    BY_TOKEN,
    CHUNKS,
    DRAWS,
    LEAKS,
    SHUFFLED,
)
from reproductions.loss_free_2024.leak_judging import BelowEntropy
from reproductions.loss_free_2024.leak_routers import NextToken, Shuffled
from reproductions.loss_free_2024.plan import PLAN

V, D, E, L = 13, 16, 4, 8
ENTROPY = math.log(4)


class TestShuffled(RouterContract):
    """Around a router whose group is the batch, where no order changes anything."""

    def make(self, dim: int, num_experts: int) -> nn.Module:
        k = min(2, num_experts)
        return Shuffled(dim, lambda width: ExpertChoice(width, num_experts, k, allow_leaks=True))


class TestNextToken(RouterContract):
    def make(self, dim: int, num_experts: int) -> nn.Module:
        return NextToken(dim, lambda width: SoftmaxTopK(width, num_experts, min(2, num_experts)))


def test_shuffled_tokens_get_their_own_decisions_back() -> None:
    """Token choice does not depend on the order, so nothing may change."""
    torch.manual_seed(0)
    inner = SoftmaxTopK(D, E)
    x_TD = torch.randn(24, D)
    plain, mixed = inner(x_TD), Shuffled(D, lambda _: inner)(x_TD)
    torch.testing.assert_close(mixed.probs_TE, plain.probs_TE)
    torch.testing.assert_close(mixed.logits_TE, plain.logits_TE)

    def placed(one: Any) -> torch.Tensor:
        return torch.zeros(24, E).index_put((one.token_A, one.expert_A), one.weight_A)

    torch.testing.assert_close(placed(mixed), placed(plain))


def test_shuffling_changes_who_is_chosen_from_a_group() -> None:
    torch.manual_seed(0)
    inner = ExpertChoice(D, E, k=1, group=4)
    x_TD = torch.randn(24, D)
    plain, mixed = inner(x_TD), Shuffled(D, lambda _: inner)(x_TD)
    assert {*zip(plain.token_A.tolist(), plain.expert_A.tolist(), strict=True)} != {
        *zip(mixed.token_A.tolist(), mixed.expert_A.tolist(), strict=True)
    }


def test_a_token_goes_where_the_next_one_belongs() -> None:
    inner = SoftmaxTopK(2, 2, k=1)
    nn.init.eye_(inner.score.weight)
    x_TD = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert inner(x_TD).expert_A.tolist() == [0, 1, 1]
    assert NextToken(2, lambda _: inner)(x_TD).expert_A.tolist() == [1, 1, 0]


def decoder(group: int | None) -> nn.Module:
    torch.manual_seed(0)
    sparse = Sparse(
        lambda dim: ExpertChoice(dim, E, group=group), lambda dim, count: ReluMLP(dim, count, 8)
    )
    return Decoder(V, Shape(D, layers=4, heads=2, hidden=8), sparse)


def test_if_tokens_choose_the_model_is_causal_and_then_it_is_as_before() -> None:
    network = decoder(L).eval()
    ids_BL = torch.arange(2 * L).view(2, L) % V
    other_BL = ids_BL.clone()
    other_BL[:, -1] = 0

    def early(of_BL: torch.Tensor) -> torch.Tensor:
        read = SimpleNamespace(input_BL=of_BL, target_BL=of_BL, context_BL=None)
        return network(read).prediction[:, : L - 1]

    before = early(ids_BL)
    assert not torch.allclose(early(other_BL), before)
    layers = choosing(network)
    assert len(layers) == 2
    with by_token(layers):
        torch.testing.assert_close(early(other_BL), early(ids_BL))
    assert torch.equal(early(ids_BL), before)


def test_the_loss_without_the_leak_is_logged_after_the_last_step_alone() -> None:
    network = decoder(L)
    logged: list[dict[str, float]] = []
    ids_BL = torch.arange(2 * L).view(2, L) % V
    batch = SimpleNamespace(input_BL=ids_BL, target_BL=ids_BL.roll(-1, 1), context_BL=None)
    trainer: Any = SimpleNamespace(
        global_step=1,
        max_steps=2,
        val_dataloaders=[batch],
        loggers=[SimpleNamespace(log_metrics=lambda values, step: logged.append(values))],
        precision_plugin=SimpleNamespace(forward_context=torch.no_grad),
    )
    module: Any = SimpleNamespace(
        network=network, device="cpu", transfer_batch_to_device=lambda one, device, _: one
    )
    for trainer.global_step in (1, 2):
        CausalChoice().on_validation_end(trainer, module)
    [found] = logged
    assert list(found) == ["analysis/causal/loss"]
    assert network.training
    with by_token(choosing(network)):
        prediction = network.eval()(batch).prediction
    expected = nn.functional.cross_entropy(prediction.flatten(0, 1), batch.target_BL.flatten())
    assert found["analysis/causal/loss"] == pytest.approx(expected.item(), abs=1e-6)


def test_the_entropy_is_that_of_the_world_which_all_arms_have() -> None:
    configs = target("loss-free").configs
    for arm in ARMS_LEAK:
        _, data = load([configs / name for name in arm.configs], arm.settings).build(logger=False)[
            :2
        ]
        assert data.floor == pytest.approx(math.log(DRAWS))
        assert data.length == max(CHUNKS)
        assert set(PLAN.profile("full").arm_settings[arm.name]) >= {"model.cooldown_steps"}


LOSS = {
    **dict(zip(CHUNKS.values(), (ENTROPY - 0.1, ENTROPY - 0.002), strict=True)),
    SHUFFLED: ENTROPY + 0.0005,
    BY_TOKEN: ENTROPY + 0.0005,
    BY_NEXT: 0.5,
}


def world(**changes: float) -> list[RunRecord]:
    """Five runs an arm around its loss; `causal` is that of the smallest chunks without a leak."""
    rng = np.random.default_rng(0)
    causal = changes.pop("causal", ENTROPY + 0.01)
    return [
        run(arm, seed, loss + wobble, metrics={"analysis/causal/loss": causal + wobble})
        for arm, loss in {**LOSS, **changes}.items()
        for seed in range(5)
        for wobble in [float(rng.standard_normal()) * 1e-4]
    ]


def words(records: list[RunRecord]) -> dict[str, VerdictLabel]:
    return {one.claim: one.verdict for one in judge(LEAKS, records, "full")}


def test_a_world_that_leaks_in_small_chunks_alone() -> None:
    found = words(world())
    assert found.pop("LF24-07a") is VerdictLabel.REPRODUCED
    assert set(found.values()) == {VerdictLabel.PASSED}


@pytest.mark.parametrize(
    ("key", "word", "changes"),
    [
        ("LF24-07a", VerdictLabel.NOT_REPRODUCED, {"choice_4": ENTROPY - 0.005}),
        # In larger chunks it leaks nothing, or more.
        ("LF24-07a", VerdictLabel.REPRODUCED, {"choice_64": ENTROPY + 0.0005}),
        ("LF24-07a", VerdictLabel.PARTIAL, {"choice_64": ENTROPY - 0.2}),
        ("LF24-07a", VerdictLabel.PARTIAL, {"choice_shuffled": ENTROPY - 0.05}),
        ("LF24-07a", VerdictLabel.PARTIAL, {"causal": ENTROPY - 0.05}),
        # The measure is off: something else leaks, or nothing that leaks is found.
        ("LF24-07a", VerdictLabel.INCONCLUSIVE, {"choice_by_token": ENTROPY - 0.05}),
        ("LF24-07a", VerdictLabel.INCONCLUSIVE, {"choice_by_next": ENTROPY}),
        ("LF24-07an", VerdictLabel.FAILED, {"choice_by_token": ENTROPY - 0.05}),
        ("LF24-07ap", VerdictLabel.FAILED, {"choice_by_next": ENTROPY}),
    ],
)
def test_what_decides_the_leak(key: str, word: VerdictLabel, changes: dict[str, float]) -> None:
    assert words(world(**changes))[key] is word


def test_without_an_entropy_or_a_margin_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match=r"entropy=0.0, margin=0.01: must both be above 0"):
        BelowEntropy(arm="x", entropy=0.0, margin=0.01)
