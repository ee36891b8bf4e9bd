"""Estimators of a router's gradient through a choice, held against the exact one.

All are measured at the same weights: those on the way of a layer that is trained by the exact
gradient. Each also trains a layer of its own, for as many FLOPs as the others.
"""

from collections.abc import Iterator
from functools import partial
from math import log
from statistics import median

import torch
from torch import Tensor

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.moe import MoELayer
from moebench.moe.contract import update
from moebench.moe.routers import Score
from reproductions.source_notes.gate_claims import CHECKPOINTS, SEEDS
from reproductions.source_notes.gate_estimators import (
    CHOICES,
    ESTIMATORS,
    PROBES,
    TEST,
    TOKENS,
    TRAINING,
    Estimator,
    batches,
    expected,
    generator_of,
    layer_of,
    of_layer,
)

HELD_OUT = 1024  # tokens that losses are measured on
RATE = 0.02  # of Adam
DRAWS = 40  # estimates at each checkpoint, of the same tokens
ANSWERS = 16  # draws of a loss in training mode


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
        update(layer.router, [])
        yield layer


def score_of(layer: MoELayer) -> Score:
    """Return the one learned part of a layer's router."""
    [score] = [part for part in layer.router.modules() if isinstance(part, Score)]
    return score


def gradients(estimator: Estimator, layer: MoELayer, x_TD: Tensor, target_TD: Tensor) -> Tensor:
    """Return estimates of the router's gradient, one a row, flat."""
    weight = score_of(layer).weight
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
    metrics: dict[str, float] = {}
    pooled = []
    probe = batches(seed, PROBES)
    other = layer_of(estimator, seed)
    for step, layer in enumerate(train(ESTIMATORS["exact"], seed, max(CHECKPOINTS))):
        if step not in CHECKPOINTS:
            continue
        x_TD, target_TD = next(probe)
        exact = gradient(expected(layer, x_TD, target_TD), score_of(layer).weight)
        other.experts.load_state_dict(layer.experts.state_dict())
        score_of(other).load_state_dict(score_of(layer).state_dict())
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
