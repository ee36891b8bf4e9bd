"""Routing written down by hand or drawn by known rules, as instruments see it."""

import torch
from torch import Tensor

from moebench.analysis import Choices, RoutedBatch, TokenCounts, count_tokens
from moebench.analysis.routed_batch import NO_EXPERT
from moebench.analysis.vocabulary import NULLS
from moebench.moe.decision import RoutingDecision, tokens_choose

E = 4


def chosen(*windows: list[tuple[int, ...]], experts: int = E) -> Choices:
    """Choices by hand: for every token its experts, the first choice first."""
    chosen_BLE = torch.zeros(len(windows), len(windows[0]), experts, dtype=torch.bool)
    for b, window in enumerate(windows):
        for place, token in enumerate(window):
            chosen_BLE[b, place, list(token)] = True
    first = [[token[0] if token else NO_EXPERT for token in window] for window in windows]
    probs_BLE = torch.full(chosen_BLE.shape, 1 / experts)
    return Choices(chosen_BLE, torch.tensor(first), probs_BLE)


def seen(*layers: Choices, ids: list[list[int]] | None = None, domains: list[int] | None = None):
    shape = layers[0].first_BL.shape
    domain_B = torch.tensor(domains or [0] * shape[0])
    input_BL = torch.zeros(shape, dtype=torch.int64) if ids is None else torch.tensor(ids)
    return RoutedBatch(input_BL, domain_B, domain_B.repeat(NULLS, 1), layers)


def text(batch: RoutedBatch, vocabulary: int, domains: int) -> TokenCounts:
    return count_tokens([(batch.input_BL, batch.domain_B)], vocabulary, domains)


def decision(expert_T: Tensor, experts: int) -> RoutingDecision:
    """Return the decision in which each token has one expert."""
    probs_TE = torch.full((len(expert_T), experts), 1 / experts)
    return tokens_choose(probs_TE.log(), probs_TE, expert_T[:, None], torch.ones(len(expert_T), 1))


def information(p_XY: Tensor) -> float:
    """Return the mutual information of a joint distribution, in nats."""
    independent_XY = p_XY.sum(-1, keepdim=True) * p_XY.sum(-2, keepdim=True)
    return float(torch.where(p_XY > 0, p_XY * (p_XY / independent_XY).log(), 0.0).sum())


def entropy(p_X: Tensor) -> float:
    return float(torch.special.entr(p_X).sum())


def normalised(p_XY: Tensor) -> float:
    """Return the information over the mean of both entropies."""
    return information(p_XY) / ((entropy(p_XY.sum(-1)) + entropy(p_XY.sum(-2))) / 2)


def zipf(size: int) -> Tensor:
    weight = 1 / torch.arange(1, size + 1, dtype=torch.double)
    return weight / weight.sum()


def mixed(p: Tensor, q: Tensor, share: float) -> Tensor:
    return (1 - share) * p + share * q
