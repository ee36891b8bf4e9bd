"""The loss over an optimiser step of several batches, against one large batch of them all."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from moebench.models.output import Output
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.losses import LoadBalance, StepLoadBalance, Weighted
from moebench.moe.routers import Switch
from moebench.moe.step import StepLoads
from moebench.training.module import Training

T, E, D, BATCHES = 64, 8, 16, 4


def decide(probs: list[list[float]], experts: list[int]) -> RoutingDecision:
    probs_TE = torch.tensor(probs, requires_grad=True)
    chosen_TK = torch.tensor(experts)[:, None]
    return tokens_choose(probs_TE.log(), probs_TE, chosen_TK, probs_TE.gather(1, chosen_TK))


def test_by_hand() -> None:
    """Batches of 2 and 4 tokens; f is 1, 0 in the first, and 2/6, 4/6 after the second."""
    loads, loss = StepLoads(), StepLoadBalance()
    first = decide([[0.75, 0.25], [0.75, 0.25]], [0, 0])
    second = decide([[0.25, 0.75]] * 4, [1] * 4)
    [load_E] = loads.add([first])
    assert loss(first, load_E).item() == pytest.approx(2 * 0.75)
    [load_E] = loads.add([second])
    assert loss(second, load_E).item() == pytest.approx(2 * (2 / 6 * 0.25 + 4 / 6 * 0.75))
    loads.reset()
    [load_E] = loads.add([second])
    assert loss(second, load_E).item() == LoadBalance()(second).item() == pytest.approx(2 * 0.75)


def test_two_choices_by_hand() -> None:
    """Loads 2/4, 1/4 and 1/4; the mean probabilities are over tokens."""
    probs_TE = torch.tensor([[0.5, 0.4, 0.1], [0.4, 0.3, 0.3]])
    expert_TK = torch.tensor([[0, 1], [0, 2]])
    decision = tokens_choose(probs_TE.log(), probs_TE, expert_TK, probs_TE.gather(1, expert_TK))
    [load_E] = StepLoads().add([decision])
    expected = 3 * (0.5 * 0.45 + 0.25 * 0.35 + 0.25 * 0.2)
    assert StepLoadBalance()(decision, load_E).item() == pytest.approx(expected)


def gradients(x_BTD: Tensor, weight_DE: Tensor) -> dict[str, Tensor]:
    """Return the gradient on the scores, (B, T, E), of a step: large, over it, and per batch."""

    def routed(score_TE: Tensor) -> RoutingDecision:
        probs_TE = score_TE.softmax(-1)
        weight_T1, expert_T1 = probs_TE.max(-1, keepdim=True)
        return tokens_choose(score_TE, probs_TE, expert_T1, weight_T1)

    found, loads = {}, StepLoads()
    for name in ("large", "step", "batch"):
        score_BTE = (x_BTD @ weight_DE).requires_grad_()
        if name == "large":
            LoadBalance()(routed(score_BTE.flatten(0, 1))).backward()
        for score_TE in score_BTE if name != "large" else ():
            decision = routed(score_TE)
            [load_E] = loads.add([decision])
            value = (
                StepLoadBalance()(decision, load_E) if name == "step" else LoadBalance()(decision)
            )
            (value / len(score_BTE)).backward()  # as Lightning does
        found[name] = score_BTE.grad
    return found


def step(seed: int) -> dict[str, Tensor]:
    """Gradients of a step whose batches are each of a topic of its own."""
    generator = torch.Generator().manual_seed(seed)
    topic_B1D = torch.randn(BATCHES, 1, D, generator=generator, dtype=torch.float64)
    x_BTD = topic_B1D + torch.randn(BATCHES, T, D, generator=generator, dtype=torch.float64)
    return gradients(x_BTD, torch.randn(D, E, generator=generator, dtype=torch.float64) / 4)


@pytest.mark.parametrize("seed", range(5))
def test_the_last_batch_adds_what_it_adds_in_a_large_batch(seed: int) -> None:
    of = step(seed)
    torch.testing.assert_close(of["step"][-1], of["large"][-1])
    assert not torch.allclose(of["batch"][-1], of["large"][-1])
    torch.testing.assert_close(of["step"][0], of["batch"][0])  # which knows no other batch yet


def test_on_average_a_step_points_nearer_to_where_a_large_batch_does() -> None:
    """Not always: batches that come early know few others. Of 50 steps, with the error of it."""
    near = torch.tensor([nearness(step(seed)) for seed in range(50)])
    gain = near[:, 0] - near[:, 1]
    assert gain.mean() > 3 * gain.std() / len(gain) ** 0.5
    assert near[:, 0].mean() > 0.7


def nearness(of: dict[str, Tensor]) -> list[float]:
    """Return the cosines of a step, and of single batches, with a large batch."""
    large = of["large"].flatten()
    return [
        torch.cosine_similarity(of[name].flatten(), large, dim=0).item()
        for name in ("step", "batch")
    ]


class Routed(nn.Module):
    """An embedding whose router scales it, twice: two layers of decisions."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, D)
        self.router = Switch(D, E, jitter=0.0)

    def forward(self, batch: SimpleNamespace) -> Output:
        x_BLD = self.embedding(batch.input_BL)
        decisions = [self.router(x_BLD.flatten(0, 1)), self.router(-x_BLD.flatten(0, 1))]
        y_BLD = x_BLD * decisions[0].weight_A.view(*x_BLD.shape[:2], 1)
        return Output(y_BLD @ self.embedding.weight.T, decisions)


@pytest.mark.parametrize("skipped", [False, True])
def test_training_accumulates_over_the_batches_of_one_step_only(skipped: bool) -> None:
    torch.manual_seed(0)
    module = Training(32, Routed, [Weighted(StepLoadBalance(), 1.0)])
    ids = torch.arange(32).view(4, 8)
    batches = [
        SimpleNamespace(input_BL=part, target_BL=part, context_BL=None) for part in ids.split(2)
    ]

    def balance(batch: SimpleNamespace) -> float:
        decisions = module.network(batch).decisions
        return module.losses.values(decisions)["StepLoadBalance"].item()

    alone = [sum(map(float, map(LoadBalance(), module.network(b).decisions))) for b in batches]
    assert balance(batches[0]) == pytest.approx(alone[0])
    assert balance(batches[1]) != pytest.approx(alone[1], rel=1e-3)
    module.end_step(skipped)
    assert balance(batches[1]) == pytest.approx(alone[1])
