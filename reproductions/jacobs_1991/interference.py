"""Forgetting: training on one pair of vowels, then on the other, and so on in turn.

Four systems of about equal size (24 or 25 weights) see first [i] and [I], then [a] and [ʌ]. At
every switch the accuracy on the idle pair is compared with what it was when that pair was last
trained. A control of the same length sees both pairs all the time and cannot forget.

Source: a claim attributed to Jacobs et al. 1991, which has the idea (section 1) but no figure.
"""

import torch
from torch import Tensor

from moebench.evidence.record import FIRST_FRESH_SEED
from reproductions.jacobs_1991.arms import DRAWN, SAME
from reproductions.jacobs_1991.networks.backprop import BackProp
from reproductions.jacobs_1991.networks.errors import Competitive, Cooperative, Likelihood
from reproductions.jacobs_1991.networks.mixture import Mixture
from reproductions.jacobs_1991.networks.system import (
    Cases,
    System,
    Weights,
    accuracy,
    descend,
    prepare,
)
from reproductions.jacobs_1991.vowels import Vowels

FIRST_SEED, SEEDS = FIRST_FRESH_SEED, 25
PHASES, EPOCHS = 6, 1000
PAIRS = ((0, 1), (2, 3))  # indices into iy, ih, aa, ah

Metrics = dict[int, dict[str, float]]


def backprop() -> Metrics:
    """Return how much a net with 6 hidden units forgets."""
    return _forgotten(BackProp(6))


def cooperative() -> Metrics:
    """Return how much four experts with the cooperative error forget."""
    return _forgotten(Mixture(4, Cooperative()))


def competitive() -> Metrics:
    """Return how much four experts with the competitive error forget."""
    return _forgotten(Mixture(4, Competitive()))


def likelihood() -> Metrics:
    """Return how much four experts with the likelihood error forget."""
    return _forgotten(Mixture(4, Likelihood()))


def backprop_replayed() -> Metrics:
    """Return the drops of the net when it sees both pairs all the time."""
    return _replayed(BackProp(6))


def competitive_replayed() -> Metrics:
    """Return the same for four experts with the competitive error."""
    return _replayed(Mixture(4, Competitive()))


def _forgotten(system: System) -> Metrics:
    """Return per seed `drop` (mean over the switches), `largest` and the control's `replayed`.

    A drop is the accuracy on a pair at the end of its phase minus that at the end of the next one.
    """
    both, halves = _cases()
    drop_NS = _drops(system, halves, halves)
    replayed_NS = _drops(system, [both, both], halves)
    return {
        FIRST_SEED + s: {
            "drop": drop_NS[:, s].mean().item(),
            "largest": drop_NS[:, s].max().item(),
            "replayed": replayed_NS[:, s].mean().item(),
        }
        for s in range(SEEDS)
    }


def _replayed(system: System) -> Metrics:
    """Return per seed the control's drop, under the same name as the drops it is compared with."""
    both, halves = _cases()
    drop_NS = _drops(system, [both, both], halves)
    return {FIRST_SEED + s: {"drop": drop_NS[:, s].mean().item()} for s in range(SEEDS)}


def _cases() -> tuple[Cases, list[Cases]]:
    """Return the training cases: all of them, and those of each pair of vowels."""
    data = Vowels(coding="anti", order=DRAWN)
    inputs, targets, vowel_T = data.train.x_TD, data.train.target_TC, data.train.vowel_T
    halves = []
    for pair in PAIRS:
        mine_T = torch.isin(vowel_T, torch.tensor(pair))
        halves.append(prepare(inputs[mine_T], targets[mine_T]))
    return prepare(inputs, targets), halves


def _drops(system: System, trained: list[Cases], shown: list[Cases]) -> Tensor:
    """Train on two sets in turn; return drop_NS, one row per switch between them."""
    weights: Weights = system.init(range(FIRST_SEED, FIRST_SEED + SEEDS), 0.5, 2, 1)
    step_S = torch.full((SEEDS,), SAME, dtype=torch.float64)
    drops: list[Tensor] = []
    before_S = torch.zeros(SEEDS)
    for phase in range(PHASES):
        cases = trained[phase % 2]
        for _ in range(EPOCHS):
            answer = system.forward(weights, cases.x_DT)
            descend(weights, system.gradient(weights, answer, cases), step_S)
        right = [accuracy(system.forward(weights, part.x_DT).blend_SCT, part) for part in shown]
        if phase:
            drops.append(before_S - right[(phase - 1) % 2])
        before_S = right[phase % 2]
    return torch.stack(drops)
