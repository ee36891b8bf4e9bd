"""How mixtures divide the task over the epochs: when experts part, and where the gate is unsure.

Trained like the arms of plan.py, with 25 seeds at once, and measured along the way.

Source: Jacobs, Jordan, Nowlan and Hinton 1991, section 3 and Figure 3.
"""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.statistics import spearman
from reproductions.jacobs_1991.arms import DRAWN, SAME
from reproductions.jacobs_1991.networks.errors import Likelihood
from reproductions.jacobs_1991.networks.mixture import Mixture, gate_entropy
from reproductions.jacobs_1991.networks.system import (
    Cases,
    Weights,
    descend,
    mean_squared_error,
    prepare,
)
from reproductions.jacobs_1991.vowels import Vowels

FIRST_SEED, SEEDS = FIRST_FRESH_SEED, 25
EVERY = 5  # epochs between measurements
MOST = 15000  # epochs
CRITERION = 0.08
DROPPED = 0.95  # times log E: below it the gate no longer treats the experts alike

Metrics = dict[int, dict[str, float]]


def separation_of_eight() -> Metrics:
    """Return per seed when eight experts agree most and when the gate's entropy drops."""
    return _separation(8)


def separation_of_four() -> Metrics:
    """Return the same for four experts."""
    return _separation(4)


def _separation(experts: int) -> Metrics:
    """Return per seed how the experts part, by `parting`."""
    agreement: list[Tensor] = []
    unequal: list[Tensor] = []
    ended: list[Tensor] = []
    for weights, cases, going_S in looks(experts):
        agreement.append(mean_cosine(weights["expert"]))
        unequal.append(entropy(weights, cases) < DROPPED * math.log(experts))
        ended.append(~going_S)
    looked = [torch.stack(rows) for rows in (agreement, unequal, ended)]
    return {FIRST_SEED + s: parting(*(rows_NS[:, s] for rows_NS in looked)) for s in range(SEEDS)}


def parting(agreement_N: Tensor, unequal_N: Tensor, ended_N: Tensor) -> dict[str, float]:
    """Return `agreement_epoch`, `drop_epoch` and `lead`, the epochs from one to the other.

    A run whose gate treats the experts alike until it meets the criterion has a lead of zero.

    Args:
        agreement_N: mean cosine between the experts' weights at each of N measurements.
        unequal_N: whether the gate's entropy has dropped.
        ended_N: whether the run has met the criterion; later measurements do not count.
    """
    looked = int(ended_N.int().argmax()) + 1 if ended_N.any() else len(ended_N)
    dropped = unequal_N[:looked].nonzero()
    best = int(agreement_N[:looked].argmax()) * EVERY
    drop = int(dropped[0]) * EVERY if len(dropped) else best
    return {
        "agreement_epoch": float(best),
        "agreement": agreement_N[:looked].max().item(),
        "drop_epoch": float(drop),
        "lead": float(drop - best),
    }


def ambiguity() -> Metrics:
    """Return the rank correlation of the gate's entropy with |output - 1/2| over the cases."""
    system = Mixture(4, Likelihood())
    for weights, cases, _ in looks(4):
        last, shown = weights, cases
    mixed = system.forward(last, shown.x_DT)
    entropy_ST = gate_entropy(mixed.gate_SET)
    distance_ST = (mixed.blend_SCT[:, 0] - 0.5).abs()
    real_T = shown.share_T > 0
    return {
        FIRST_SEED + s: {
            "rank_correlation": spearman(
                entropy_ST[s, real_T].numpy(), distance_ST[s, real_T].numpy()
            )
        }
        for s in range(SEEDS)
    }


def looks(experts: int) -> Iterator[tuple[Weights, Cases, Tensor]]:
    """Train mixtures, one per seed; every few epochs yield weights, cases and which still train.

    A run that has met the criterion no longer changes.
    """
    data = Vowels(coding="aligned", order=DRAWN)
    cases = prepare(data.train.x_TD, data.train.target_TC)
    system = Mixture(experts, Likelihood())
    seeds = range(FIRST_SEED, FIRST_SEED + SEEDS)
    weights = system.init(seeds, 0.5, features=2, outputs=1)
    going_S = torch.ones(SEEDS, dtype=torch.bool)
    for epoch in range(MOST):
        answer = system.forward(weights, cases.x_DT)
        going_S &= mean_squared_error(answer.blend_SCT, cases) > CRITERION
        if epoch % EVERY == 0:
            yield {name: weight.clone() for name, weight in weights.items()}, cases, going_S.clone()
        if not going_S.any():
            break
        descend(weights, system.gradient(weights, answer, cases), SAME * going_S)
    yield weights, cases, going_S


def entropy(weights: Weights, cases: Cases) -> Tensor:
    """Return entropy_S of the gate in nats, averaged over the cases."""
    mixed = Mixture(weights["gate"].shape[1], Likelihood()).forward(weights, cases.x_DT)
    return (gate_entropy(mixed.gate_SET) * cases.share_T).sum(dim=-1)


def mean_cosine(expert_SECD: Tensor) -> Tensor:
    """Return cosine_S between the weights of two experts, averaged over all pairs."""
    unit_SED = torch.nn.functional.normalize(expert_SECD.flatten(2), dim=-1)
    experts = unit_SED.shape[1]
    cosine_SEE = unit_SED @ unit_SED.mT
    return (cosine_SEE.sum(dim=(1, 2)) - experts) / (experts * (experts - 1))
