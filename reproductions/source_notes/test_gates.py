"""The layer on which estimators are measured, and how their claims are judged."""

from collections.abc import Mapping

import pytest
import torch

from moebench.evidence.record import RunRecord
from moebench.moe import MoELayer
from moebench.moe.decision import tokens_choose
from moebench.moe.routers.reinforce import surrogate
from moebench.papers.claim import VerdictLabel
from moebench.testing.verdicts import run, verdict_of
from reproductions.source_notes import figures, gate_claims, gate_estimators, gates
from reproductions.source_notes.gate_claims import CLAIMS_GATES, COMPUTED, DRAWN
from reproductions.source_notes.gate_estimators import ESTIMATORS, EXPERTS, Estimator

SEED = 7  # of no run that judges a claim
CLAIM = {claim.key: claim for claim in CLAIMS_GATES}


def made(name: str = "reinforce") -> tuple[MoELayer, torch.Tensor, torch.Tensor]:
    """Return a new layer, tokens and targets."""
    layer = gates.layer_of(ESTIMATORS[name], SEED)
    return (layer, *next(gates.batches(SEED, gates.PROBES)))


def test_arms_are_the_estimators() -> None:
    assert list(ESTIMATORS) == list(gate_claims.ESTIMATORS)
    for name, reference in zip(ESTIMATORS, COMPUTED.values(), strict=True):
        assert getattr(gates, reference.split(":")[1]).args == (name,)


def test_reinforce_is_the_exact_gradient_on_average() -> None:
    """Each token's estimate, weighted by the probability of the expert that it would come from."""
    layer, x_TD, target_TD = made()
    weight = layer.router.score.weight
    exact = gates.gradient(gates.expected(layer, x_TD, target_TD), weight)
    logits_TE = layer.router.score(x_TD)
    probs_TE = logits_TE.softmax(dim=-1)
    total = torch.zeros(())
    for expert in range(EXPERTS):
        expert_T1 = torch.full((len(x_TD), 1), expert)
        decision = tokens_choose(logits_TE, probs_TE, expert_T1, torch.ones(len(x_TD), 1))
        with torch.no_grad():
            answer_TD = layer.dispatcher(x_TD, decision, layer.experts)
            reward_T = gate_estimators.token_losses(answer_TD, target_TD) * probs_TE[:, expert]
        total = total + surrogate(decision, reward_T, baseline=False)
    torch.testing.assert_close(gates.gradient(total, weight), exact)


def test_the_expected_loss_is_what_draws_average_to() -> None:
    layer, x_TD, target_TD = made("reinforce")
    torch.manual_seed(0)
    with torch.no_grad():
        draws = torch.stack([gates.of_layer(layer, x_TD, target_TD) for _ in range(400)])
        expected = gates.expected(layer, x_TD, target_TD)
    assert float(abs(draws.mean() - expected)) < 3 * float(draws.std() / 20)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_flops_are_those_of_the_experts_that_answer(name: str) -> None:
    estimator = ESTIMATORS[name]
    if estimator.objective not in (
        gate_estimators.expected,
        gate_estimators.doubled,
    ):  # which try all themselves
        layer, x_TD, _ = made(name)
        assert len(layer.router(x_TD).token_A) == estimator.answering * len(x_TD)
    budget = gate_estimators.STEPS * Estimator(gate_estimators.Switch).flops
    assert estimator.flops * estimator.steps == pytest.approx(budget, rel=0.01)


def test_known_gradients_have_their_known_errors() -> None:
    exact = gates.against_exact(ESTIMATORS["exact"], SEED)
    assert exact["bias"] == exact["variance"] == 0
    doubled = gates.against_exact(ESTIMATORS["exact_doubled"], SEED)
    assert doubled["bias"] == pytest.approx(1)
    assert all(doubled[f"bias/{step}"] == pytest.approx(1) for step in gates.CHECKPOINTS)
    none = gates.against_exact(ESTIMATORS["top_1"], SEED)
    assert none["largest gradient"] == 0
    assert none["bias"] == pytest.approx(1)


def test_equal_seeds_measure_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "DRAWS", 4)
    first, second = (gates.against_exact(ESTIMATORS["gumbel"], SEED) for _ in range(2))
    assert first == second
    assert first["variance"] > 0


def test_the_loss_in_use_is_that_of_one_expert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_estimators, "STEPS", 20)
    found = gates.trained(ESTIMATORS["straight_through"], SEED)
    assert found["gap"] == 0
    assert found["loss"] == found["loss in training"]
    hot = gates.trained(ESTIMATORS["gumbel_hot"], SEED)
    assert hot["loss"] != hot["loss in training"]


def around(metric: str, means: Mapping[str, float]) -> list[RunRecord]:
    """Return runs of arms around their means, as many as claims ask for."""
    return [
        run(arm, 1000 + seed, metrics={metric: mean + 0.001 * (-1) ** (seed + place)})
        for place, (arm, mean) in enumerate(means.items())
        for seed in range(gate_claims.SEEDS)
    ]


@pytest.mark.parametrize(
    ("probable", "drawn", "word"),
    [
        (0.5, 0.4, VerdictLabel.REPRODUCED),
        (0.5, 0.1, VerdictLabel.PARTIAL),
        (0.1, 0.0, VerdictLabel.NOT_REPRODUCED),  # there, but less than half the length
    ],
)
def test_a_bias_must_be_half_as_long_as_the_gradient(
    probable: float, drawn: float, word: VerdictLabel
) -> None:
    means = {"gate_straight_through": probable, DRAWN: drawn, "gate_exact": 0.0}
    assert verdict_of(CLAIM["N5-01b"], around("bias", means)).verdict is word


@pytest.mark.parametrize(
    ("loses", "word"),
    [(0.1, VerdictLabel.REPRODUCED), (-0.1, VerdictLabel.NOT_REPRODUCED)],
)
def test_a_gap_counts_only_if_use_is_worse(loses: float, word: VerdictLabel) -> None:
    means = {"gate_gumbel": loses, "gate_gumbel_falling": loses, "gate_softmax_weight": 0.0}
    assert verdict_of(CLAIM["N5-01g"], around("gap", means)).verdict is word


def test_the_figure_shows_every_estimator_or_is_left_out() -> None:
    measured = ("bias", "variance", "loss", "loss in training")
    metrics = dict.fromkeys([*measured, *(f"bias/{step}" for step in gates.CHECKPOINTS)], 0.5)
    records = [run(arm, 1000, metrics=metrics) for arm in COMPUTED]
    [drawn] = figures.draw(records)
    for name in figures.SHOWN:
        assert gate_claims.ESTIMATORS[name] in str(drawn.charts[0])
    assert figures.draw(records[1:]) == []
