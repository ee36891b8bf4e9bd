"""Estimators of a router's gradient through a choice, on a layer small enough to enumerate.

Tokens come from four clusters, each with a linear map of its own that an expert can learn. With
four experts the gradient of the expected loss, the sum over the experts of probability times loss,
is computed exactly, and so are the bias and the variance of an estimate of it. All estimators are
held against it at the same weights: those on the way of a layer that is trained by the exact one.
Each also trains a layer of its own, for as many FLOPs as the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import log
from statistics import median

import torch
from torch import Tensor, nn

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.moe import MoELayer
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import Linear
from moebench.moe.routers import (
    GumbelSoftmax,
    HardGumbelSoftmax,
    Reinforce,
    StraightThrough,
    Switch,
    TopK,
)
from moebench.moe.routers.reinforce import surrogate
from reproductions.source_notes.gate_claims import CHECKPOINTS, SEEDS

Objective = Callable[[MoELayer, Tensor, Tensor], Tensor]
Batches = Iterator[tuple[Tensor, Tensor]]

WIDTH, EXPERTS = 16, 4
TOKENS, HELD_OUT = 64, 1024  # of a batch, and those that losses are measured on
SPREAD, NOISE = 0.5, 0.3  # of tokens within a cluster, and of what is to be answered
RATE = 0.02  # of Adam
DRAWS = 40  # estimates at each checkpoint, of the same tokens
ANSWERS = 16  # draws of a loss in training mode
WORLD, TRAINING, PROBES, TEST, INITIAL, CHOICES = range(6)  # purposes of random numbers
STEPS = 200  # of a layer in which one expert answers; others get as many FLOPs


def token_losses(answer_TD: Tensor, target_TD: Tensor) -> Tensor:
    """Return loss_T, the mean squared error of each token."""
    return (answer_TD - target_TD).square().mean(dim=-1)


def of_layer(layer: MoELayer, x_TD: Tensor, target_TD: Tensor) -> Tensor:
    """Return the mean loss of what the layer answers."""
    answer_TD, _ = layer(x_TD)
    return token_losses(answer_TD, target_TD).mean()


def expected(layer: MoELayer, x_TD: Tensor, target_TD: Tensor) -> Tensor:
    """Return the expected loss if each token's expert is drawn from the softmax: all are tried."""
    count_E = torch.full((EXPERTS,), len(x_TD))
    answer_ETD = layer.experts(x_TD.repeat(EXPERTS, 1), count_E).unflatten(0, (EXPERTS, -1))
    loss_TE = token_losses(answer_ETD, target_TD).T
    return (layer.router(x_TD).probs_TE * loss_TE).sum(dim=-1).mean()


def doubled(layer: MoELayer, x_TD: Tensor, target_TD: Tensor) -> Tensor:
    """Return twice the expected loss, whose gradient is wrong by exactly its own length."""
    return 2 * expected(layer, x_TD, target_TD)


def by_whole_loss(layer: MoELayer, x_TD: Tensor, target_TD: Tensor, baseline: bool) -> Tensor:
    """Return the mean loss, with REINFORCE alone to train the router."""
    decision = layer.router(x_TD)
    fixed = replace(decision, weight_A=decision.weight_A.detach())
    loss_T = token_losses(layer.dispatcher(x_TD, fixed, layer.experts), target_TD)
    return loss_T.mean() + surrogate(decision, loss_T, baseline)


@dataclass(frozen=True)
class Estimator:
    """How a router gets its gradient."""

    router: Callable[[int, int], nn.Module]
    objective: Objective = of_layer
    answering: int = 1  # experts that answer a token in training
    random: bool = True  # whether two estimates from the same tokens differ

    @property
    def flops(self) -> int:
        """FLOPs of a token in training: three passes over the scores and the answers."""
        return 3 * (2 * WIDTH * EXPERTS + self.answering * 2 * WIDTH * WIDTH)

    @property
    def steps(self) -> int:
        """Steps of its own training, for the FLOPs that one expert a token takes in `STEPS`."""
        return round(STEPS * Estimator(Switch).flops / self.flops)


FALLING = log(2) / Estimator(GumbelSoftmax, answering=EXPERTS).steps  # to one half at the end
ESTIMATORS = {
    "exact": Estimator(Reinforce, expected, EXPERTS, random=False),
    "exact_doubled": Estimator(Reinforce, doubled, EXPERTS, random=False),
    "top_1": Estimator(partial(TopK, k=1), random=False),
    "softmax_weight": Estimator(partial(Switch, jitter=0.0), random=False),
    "straight_through": Estimator(StraightThrough, random=False),
    "straight_through_sampled": Estimator(
        partial(StraightThrough, sampled=True, answering=EXPERTS), answering=EXPERTS
    ),
    "gumbel": Estimator(partial(GumbelSoftmax, rate=0.0), answering=EXPERTS),
    "gumbel_falling": Estimator(partial(GumbelSoftmax, rate=FALLING), answering=EXPERTS),
    "gumbel_hot": Estimator(partial(GumbelSoftmax, temperature=10.0, rate=0.0), answering=EXPERTS),
    "gumbel_hard": Estimator(
        partial(HardGumbelSoftmax, rate=0.0, answering=EXPERTS), answering=EXPERTS
    ),
    "reinforce": Estimator(Reinforce, partial(by_whole_loss, baseline=True)),
    "reinforce_no_baseline": Estimator(
        partial(Reinforce, baseline=False), partial(by_whole_loss, baseline=False)
    ),
    "reinforce_first_order": Estimator(Reinforce),
}


def generator_of(seed: int, purpose: int) -> torch.Generator:
    """Return the random numbers of a seed for one purpose, apart from those for others."""
    return torch.Generator().manual_seed(10 * seed + purpose)


def batches(seed: int, purpose: int, tokens: int = TOKENS) -> Batches:
    """Draw tokens and targets of the world of this seed, without end."""
    generator = generator_of(seed, WORLD)
    centre_ED = torch.randn(EXPERTS, WIDTH, generator=generator)
    map_EDF = torch.randn(EXPERTS, WIDTH, WIDTH, generator=generator) / WIDTH**0.5
    generator = generator_of(seed, purpose)
    while True:
        cluster_T = torch.randint(EXPERTS, (tokens,), generator=generator)
        x_TD = centre_ED[cluster_T] + SPREAD * torch.randn(tokens, WIDTH, generator=generator)
        clean_TD = torch.einsum("td,tdf->tf", x_TD, map_EDF[cluster_T])
        yield x_TD, clean_TD + NOISE * torch.randn(tokens, WIDTH, generator=generator)


def layer_of(estimator: Estimator, seed: int) -> MoELayer:
    """Return a new layer, with the same weights for every estimator."""
    torch.manual_seed(generator_of(seed, INITIAL).initial_seed())
    router = estimator.router(WIDTH, EXPERTS)
    return MoELayer(router, Linear(WIDTH, EXPERTS), DISPATCHERS["grouped"]())


def train(estimator: Estimator, seed: int, steps: int) -> Iterator[MoELayer]:
    """Train a new layer; yield it before the first step and after each."""
    layer = layer_of(estimator, seed)
    optimizer = torch.optim.Adam(layer.parameters(), lr=RATE, fused=True)
    drawn = batches(seed, TRAINING)
    yield layer
    for _ in range(steps):
        optimizer.zero_grad()
        estimator.objective(layer, *next(drawn)).backward()
        optimizer.step()
        if hasattr(layer.router, "update"):
            layer.router.update([])
        yield layer


def gradients(estimator: Estimator, layer: MoELayer, x_TD: Tensor, target_TD: Tensor) -> Tensor:
    """Return estimates of the router's gradient, one a row, flat."""
    weight = layer.router.score.weight
    found = []
    for _ in range(DRAWS if estimator.random else 2):
        value = estimator.objective(layer, x_TD, target_TD)
        found.append(gradient(value, weight))
    return torch.stack(found)


def gradient(value: Tensor, weight: Tensor) -> Tensor:
    """Return the gradient by the router's weights, flat and in float64."""
    [found] = torch.autograd.grad(value, [weight], allow_unused=True, materialize_grads=True)
    return found.flatten().double()


def against_exact(estimator: Estimator, seed: int) -> dict[str, float]:
    """Return bias and variance of an estimator over training, relative to the exact gradient.

    Both are of squared length. The bias is the product of the errors of two halves of the draws,
    which is zero on average for an estimator without one, whatever its variance; so it can come out
    negative. Over training, means are divided by means.
    """
    metrics, pooled = {}, []
    probe = batches(seed, PROBES)
    other = layer_of(estimator, seed)
    for step, layer in enumerate(train(ESTIMATORS["exact"], seed, max(CHECKPOINTS))):
        if step not in CHECKPOINTS:
            continue
        x_TD, target_TD = next(probe)
        exact = gradient(expected(layer, x_TD, target_TD), layer.router.score.weight)
        other.experts.load_state_dict(layer.experts.state_dict())
        other.router.score.load_state_dict(layer.router.score.state_dict())
        torch.manual_seed(generator_of(seed, CHOICES).initial_seed())
        found_NP = gradients(estimator, other, x_TD, target_TD)
        errors = found_NP - exact
        one, two = errors[::2].mean(dim=0), errors[1::2].mean(dim=0)
        variance = found_NP.var(dim=0).sum() if estimator.random else torch.zeros(())
        measured = torch.stack([one @ two, variance.double(), exact @ exact, found_NP.abs().amax()])
        bias, varies, length, _ = measured.tolist()
        metrics |= {f"bias/{step}": bias / length, f"variance/{step}": varies / length}
        pooled.append(measured)
    bias, varies, length, _ = torch.stack(pooled).mean(dim=0).tolist()
    largest = float(torch.stack(pooled)[:, 3].max())
    whole = {"bias": bias / length, "variance": varies / length, "largest gradient": largest}
    return metrics | whole


def trained(estimator: Estimator, seed: int) -> dict[str, float]:
    """Return losses of a layer after its own training, in training mode and as it is used.

    As it is used, a layer is in evaluation mode; `log loss` is the logarithm of that loss.
    """
    *_, layer = train(estimator, seed, estimator.steps)
    x_TD, target_TD = next(batches(seed, TEST, HELD_OUT))
    torch.manual_seed(generator_of(seed, CHOICES).initial_seed())
    with torch.no_grad():
        draws = [float(of_layer(layer.train(), x_TD, target_TD)) for _ in range(ANSWERS)]
        used = float(of_layer(layer.eval(), x_TD, target_TD))
    in_training = sum(draws) / len(draws)
    return {
        "loss": used,
        "log loss": log(used),
        "loss in training": in_training,
        "gap": log(used / in_training),
        "flops": float(estimator.flops * estimator.steps * TOKENS),
    }


def measured(name: str, first_seed: int = FIRST_FRESH_SEED) -> dict[int, dict[str, float]]:
    """Return seed -> all that is measured of an estimator.

    A seed decides world, tokens, initial weights and noise. `off the median` is the distance of the
    loss from its median over the seeds, as a share of it.
    """
    estimator = ESTIMATORS[name]
    found = {
        seed: against_exact(estimator, seed) | trained(estimator, seed)
        for seed in range(first_seed, first_seed + SEEDS)
    }
    middle = median(one["loss"] for one in found.values())
    return {
        seed: one | {"off the median": abs(one["loss"] - middle) / middle}
        for seed, one in found.items()
    }


(
    exact,
    exact_doubled,
    top_1,
    softmax_weight,
    straight_through,
    straight_through_sampled,
    gumbel,
    gumbel_falling,
    gumbel_hot,
    gumbel_hard,
    reinforce,
    reinforce_no_baseline,
    reinforce_first_order,
) = (partial(measured, name) for name in ESTIMATORS)
