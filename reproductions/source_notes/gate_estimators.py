"""A layer small enough to enumerate its choices, and the estimators that train its router.

Tokens come from four clusters, each with a linear map of its own that an expert can learn. With
four experts the expected loss, the sum over the experts of probability times loss, is computed
exactly, and so is its gradient.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import log

import torch
from torch import Tensor, nn

from moebench.moe import MoELayer
from moebench.moe.contract import decide
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

Objective = Callable[[MoELayer, Tensor, Tensor], Tensor]
Batches = Iterator[tuple[Tensor, Tensor]]

WIDTH, EXPERTS = 16, 4
TOKENS = 64  # of a batch
SPREAD, NOISE = 0.5, 0.3  # of tokens within a cluster, and of what is to be answered
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
    decision = decide(layer.router, x_TD)
    return (decision.probs_TE * loss_TE).sum(dim=-1).mean()


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
