"""The instruments find what is there, in worlds whose text and routing are fully known.

A world is its joint distribution p(domain, token, expert): a window has one domain, its tokens are
drawn by themselves, and so is the expert of each. What one says of another is a sum over it.
"""

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from moebench.analysis import Choices, Instruments, Labels, RoutedBatch, count_tokens, metrics
from moebench.analysis.certainty import Certainty
from moebench.analysis.coactivation import Agreement, CoActivation
from moebench.analysis.repeats import Repeats
from moebench.analysis.saturation import Saturation
from moebench.moe.decision import RoutingDecision, tokens_choose

L = 16  # tokens of a window
BATCH = 25  # windows


def information(p_XY: Tensor) -> float:
    """Return the mutual information of a joint distribution, in nats."""
    independent_XY = p_XY.sum(-1, keepdim=True) * p_XY.sum(-2, keepdim=True)
    return float(torch.where(p_XY > 0, p_XY * (p_XY / independent_XY).log(), 0.0).sum())


def entropy(p_X: Tensor) -> float:
    return float(torch.special.entr(p_X).sum())


def normalised(p_XY: Tensor) -> float:
    """Return the information over the mean of both entropies."""
    return information(p_XY) / ((entropy(p_XY.sum(-1)) + entropy(p_XY.sum(-2))) / 2)


@dataclass(frozen=True)
class World:
    """N domains, V tokens, E experts: p(token | domain) and p(expert | domain, token)."""

    token_NV: Tensor
    expert_NVE: Tensor

    @property
    def joint_NVE(self) -> Tensor:
        """p(domain, token, expert); all domains are equally likely."""
        return (self.token_NV / len(self.token_NV))[..., None] * self.expert_NVE

    @property
    def truth(self) -> dict[str, float]:
        """What `moebench.analysis.metrics` estimate, less chance, by hand."""
        joint_NVE = self.joint_NVE
        token_V = joint_NVE.sum(dim=(0, 2))
        given = sum(
            p * information(part / p) for p, part in zip(token_V, joint_NVE.unbind(1), strict=True)
        )
        return {
            "domain_nmi": normalised(joint_NVE.sum(1)),
            "token_nmi": normalised(joint_NVE.sum(0)),
            "token_information": information(joint_NVE.sum(0)),
            "domain_given_token": float(given),
        }

    def estimates(self, tokens: int, seed: int) -> dict[str, float]:
        """Return the same from a text of so many tokens."""
        return less_chance(self.look(tokens, seed))

    def look(self, tokens: int, seed: int) -> Instruments:
        """Draw a text and its routing, and look at it."""
        chance = torch.Generator().manual_seed(seed)
        windows, domains = tokens // L, len(self.token_NV)
        domain_S = (torch.arange(windows) % domains)[torch.randperm(windows, generator=chance)]
        ids_SL = self.token_NV[domain_S].multinomial(L, replacement=True, generator=chance)
        p_TE = self.expert_NVE[domain_S[:, None], ids_SL].flatten(0, 1)
        expert_SL = p_TE.multinomial(1, generator=chance).view(windows, L)
        batches = list(zip(ids_SL.split(BATCH), domain_S.split(BATCH), strict=True))
        labels = Labels(domain_S, tuple(map(str, range(domains))))
        found = Instruments(
            [p_TE.shape[1]], labels, count_tokens(batches, self.token_NV.shape[1], domains)
        )
        for ids_BL, expert_BL in zip(ids_SL.split(BATCH), expert_SL.split(BATCH), strict=True):
            found.add(ids_BL, [decision(expert_BL.flatten(), p_TE.shape[1])])
            found.add_shuffled([decision(expert_BL.flatten(), p_TE.shape[1])], len(ids_BL))
        return found


TOKENS = (800, 3200, 12800, 51200)
# Bias and error allowed: a text that has seen each pair of token and expert a few times gives what
# chance gives less than it deserves, so that small texts say too little, never too much.
TOO_LITTLE = dict(zip(TOKENS, (0.12, 0.04, 0.015, 0.008), strict=True))
TOO_MUCH = dict(zip(TOKENS, (0.02, 0.01, 0.006, 0.006), strict=True))
SEEDS = dict(zip(TOKENS, (8, 4, 2, 1), strict=True))


def decision(expert_T: Tensor, experts: int) -> RoutingDecision:
    """Return the decision in which each token has one expert."""
    probs_TE = torch.full((len(expert_T), experts), 1 / experts)
    return tokens_choose(probs_TE.log(), probs_TE, expert_T[:, None], torch.ones(len(expert_T), 1))


def less_chance(instruments: Instruments) -> dict[str, float]:
    """Return the metrics of the first layer, less their nulls where they are apart."""
    found = {name.split("/")[2]: x for name, x in metrics(instruments.findings()).items()}
    for name in ("domain_nmi", "token_nmi"):
        found[name] -= found[f"{name}_null"]
    return found


def zipf(size: int) -> Tensor:
    weight = 1 / torch.arange(1, size + 1, dtype=torch.double)
    return weight / weight.sum()


def mixed(p: Tensor, q: Tensor, share: float) -> Tensor:
    return (1 - share) * p + share * q


DOMAINS, OWN, SHARED, EXPERTS = 3, 60, 60, 8


def tokens_by_domain(own: float) -> Tensor:
    """Return p(token | domain): shared words, and some that only one domain has."""
    token_NV = torch.zeros(DOMAINS, SHARED + DOMAINS * OWN, dtype=torch.double)
    token_NV[:, :SHARED] = (1 - own) * zipf(SHARED)
    for domain in range(DOMAINS):
        start = SHARED + domain * OWN
        token_NV[domain, start : start + OWN] = own * zipf(OWN)
    return token_NV


def experts_by(token: float, domain: float) -> Tensor:
    """Return p(expert | domain, token): an even part, one by the token and one by the domain."""
    vocabulary = SHARED + DOMAINS * OWN
    even = torch.full((DOMAINS, vocabulary, EXPERTS), 1 / EXPERTS, dtype=torch.double)
    by_token, by_domain = torch.zeros_like(even), torch.zeros_like(even)
    by_token[:, torch.arange(vocabulary), torch.arange(vocabulary) % EXPERTS] = 1
    by_domain[torch.arange(DOMAINS), :, torch.arange(DOMAINS)] = 1
    return mixed(mixed(even, by_domain, domain), by_token, token)


# Topic and token both decide, shared words and those of one domain alike; the token decides alone;
# nothing does; words are nearly all of their own domain, and only that decides.
WORLDS = {
    "both": World(tokens_by_domain(0.4), experts_by(0.3, 0.4)),
    "token": World(tokens_by_domain(0.4), experts_by(0.5, 0.0)),
    "neither": World(tokens_by_domain(0.4), experts_by(0.0, 0.0)),
    "topic": World(tokens_by_domain(0.9), experts_by(0.0, 0.6)),
}


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("name", WORLDS)
def test_information_is_what_it_is_on_texts_of_any_size(name: str, tokens: int) -> None:
    world = WORLDS[name]
    found = [world.estimates(tokens, seed) for seed in range(SEEDS[tokens])]
    for metric, truth in world.truth.items():
        bias = float(np.mean([estimates[metric] for estimates in found])) - truth
        least = -TOO_LITTLE[tokens] if truth > 0.01 else -TOO_MUCH[tokens]
        assert least < bias < TOO_MUCH[tokens], (metric, truth, bias)


def test_token_and_topic_compare_as_they_are() -> None:
    """Where words have domains of their own, both are there, and the token tells more."""
    found, truth = WORLDS["topic"].estimates(12800, 0), WORLDS["topic"].truth
    assert truth["domain_given_token"] > 0.04
    assert found["domain_given_token"] > 0.03
    gap = truth["token_information"] - truth["domain_given_token"]
    assert found["token_information"] - found["domain_given_token"] == pytest.approx(gap, abs=0.03)


def test_similar_tokens_within_a_window_are_no_topic() -> None:
    """Each window has a favourite expert of its own, whatever its domain and tokens are."""
    chance = torch.Generator().manual_seed(0)
    found = []
    for _ in range(12):
        ids_SL = zipf(20).expand(100, -1).multinomial(L, replacement=True, generator=chance)
        expert_S1 = torch.randint(EXPERTS, (100, 1), generator=chance)
        domain_S = torch.arange(100) % 2
        labels = Labels(domain_S, ("a", "b"))
        instruments = Instruments([EXPERTS], labels, count_tokens([(ids_SL, domain_S)], 20, 2))
        routed = decision(expert_S1.expand(-1, L).flatten(), EXPERTS)
        instruments.add(ids_SL, [routed])
        instruments.add_shuffled([routed], 100)
        found.append(less_chance(instruments))
    for metric in ("domain_nmi", "domain_given_token", "token_information"):
        values = [estimates[metric] for estimates in found]
        assert abs(np.mean(values)) < 3 * np.std(values) / math.sqrt(len(values) - 1), metric


def seen(*layers: Choices) -> RoutedBatch:
    nowhere_B = torch.zeros(len(layers[0].first_BL), dtype=torch.int64)
    return RoutedBatch(layers[0].first_BL, nowhere_B, nowhere_B[None], layers)


def choices(expert_BL: Tensor, experts: int = EXPERTS) -> Choices:
    return Choices.of(decision(expert_BL.flatten(), experts), len(expert_BL))


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("stay", [0.0, 0.3])
def test_neighbours_repeat_as_their_chain_does(stay: float, tokens: int) -> None:
    """The expert stays with some chance and is drawn anew otherwise: after d tokens, stay ** d."""
    chance = torch.Generator().manual_seed(tokens)
    expert_BL = torch.randint(EXPERTS, (tokens // L, L), generator=chance)
    for place in range(1, L):
        stays_B = torch.rand(tokens // L, generator=chance) < stay
        expert_BL[:, place] = torch.where(stays_B, expert_BL[:, place - 1], expert_BL[:, place])
    repeats = Repeats(1, 1)
    repeats.add(seen(choices(expert_BL)))
    found = repeats.findings(0)
    anywhere = [stay ** abs(i - j) for i in range(L) for j in range(L) if i != j]
    truth = (1 - 1 / EXPERTS) * (stay - np.mean(anywhere))
    for name in ("first", "any"):
        assert abs(found[f"{name}_excess"] - truth) < 3.5 * found[f"{name}_se"]


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("alike", [0.0, 0.3, 1.0])
def test_layers_agree_as_far_as_they_do(alike: float, tokens: int) -> None:
    """The second layer follows the first with some chance and draws anew otherwise."""
    chance = torch.Generator().manual_seed(tokens)
    even_E = torch.full((EXPERTS,), 1 / EXPERTS, dtype=torch.double)
    truth = normalised(mixed(even_E.outer(even_E), even_E.diag(), alike))
    agreement = Agreement([EXPERTS, EXPERTS])
    for _ in range(tokens // L // BATCH):
        first_BL, second_BL = torch.randint(EXPERTS, (2, BATCH, L), generator=chance)
        follows_BL = torch.rand(BATCH, L, generator=chance) < alike
        second_BL = torch.where(follows_BL, first_BL, second_BL)
        agreement.add(seen(choices(first_BL), choices(second_BL)))
    assert agreement.findings()[0][1] == pytest.approx(truth, abs=1.2 / math.sqrt(tokens))


@pytest.mark.parametrize("tokens", TOKENS)
@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_saturation_beyond_chance_is_what_was_kept(kept: float, tokens: int) -> None:
    """Both states favour the same few experts; the later one keeps a choice with some chance."""
    chance, favour_E = torch.Generator().manual_seed(tokens), zipf(EXPERTS)
    drawn = favour_E.expand(2 * tokens, -1).multinomial(1, generator=chance).view(2, -1, L)
    keeps_BL = torch.rand(drawn[0].shape, generator=chance) < kept
    saturation = Saturation([EXPERTS])
    saturation.add([choices(drawn[0])], [choices(torch.where(keeps_BL, drawn[0], drawn[1]))])
    found = saturation.findings(0)
    alike = float(favour_E @ favour_E)
    error = 3.5 * math.sqrt(0.25 / tokens)
    assert found["chance"] == pytest.approx(alike, abs=error)
    assert found["saturation"] - found["chance"] == pytest.approx(kept * (1 - alike), abs=error)
    assert found["first"] == pytest.approx(found["saturation"])


@pytest.mark.parametrize("tokens", TOKENS)
def test_co_activation_is_as_frequent_as_it_is_drawn(tokens: int) -> None:
    """Four pairs of experts with chances of their own: the last two are never asked together."""
    chance = torch.Generator().manual_seed(tokens)
    pair_P2 = torch.tensor([[0, 1], [0, 2], [1, 2], [0, 3]])
    p_P = torch.tensor([0.4, 0.3, 0.2, 0.1])
    expert_TK = pair_P2[p_P.multinomial(tokens, replacement=True, generator=chance)]
    probs_TE = torch.full((tokens, 4), 0.25)
    routed = tokens_choose(probs_TE.log(), probs_TE, expert_TK, torch.ones(tokens, 2))
    together = CoActivation([4])
    together.add(seen(Choices.of(routed, tokens // L)))
    truth = [
        [0, 0.4 / 0.8, 0.3 / 0.8, 0.1 / 0.8],
        [0.4 / 0.6, 0, 0.2 / 0.6, 0],
        [0.3 / 0.5, 0.2 / 0.5, 0, 0],
        [1, 0, 0, 0],
    ]
    found = np.array(together.findings(0)["co_activation"])
    assert np.abs(found - truth).max() < 4 * math.sqrt(0.25 / (0.5 * tokens))
    assert found[3].tolist() == [1, 0, 0, 0]


@pytest.mark.parametrize("tokens", TOKENS)
def test_certainty_is_that_of_the_probabilities(tokens: int) -> None:
    """Two kinds of tokens, one sure and one not; the means lie between theirs."""
    kinds_KE = torch.tensor([[0.7, 0.2, 0.1, 0.0], [0.25, 0.25, 0.25, 0.25]])
    share_K = torch.tensor([0.3, 0.7])
    chance = torch.Generator().manual_seed(tokens)
    probs_TE = kinds_KE[share_K.multinomial(tokens, replacement=True, generator=chance)]
    routed = tokens_choose(
        probs_TE.log(), probs_TE, probs_TE.topk(1).indices, torch.ones(tokens, 1)
    )
    certainty = Certainty(1)
    certainty.add(seen(Choices.of(routed, tokens // L)))
    found = certainty.findings(0)
    truth = {
        "confidence": 0.3 * 0.7 + 0.7 * 0.25,
        "margin": 0.3 * 0.5,
        "entropy": 0.3 * entropy(kinds_KE[0]) + 0.7 * math.log(4),
    }
    for name, value in truth.items():
        assert found[name] == pytest.approx(value, abs=3 * math.sqrt(0.21 / tokens))
