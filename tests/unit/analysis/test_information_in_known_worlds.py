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

from moebench.analysis import Instruments, Labels, count_tokens, metrics

from .fakes import decision, information, mixed, normalised, zipf

L = 16  # tokens of a window
BATCH = 25  # windows


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


TOKENS = (800, 3200, 12800)
# Bias and error allowed: a text that has seen each pair of token and expert a few times gives what
# chance gives less than it deserves, so that small texts say too little, never too much.
TOO_LITTLE = dict(zip(TOKENS, (0.12, 0.04, 0.015), strict=True))
TOO_MUCH = dict(zip(TOKENS, (0.02, 0.01, 0.006), strict=True))
SEEDS = dict(zip(TOKENS, (8, 4, 2), strict=True))


def less_chance(instruments: Instruments) -> dict[str, float]:
    """Return the metrics of the first layer, less their nulls where they are apart."""
    found = {name.split("/")[2]: x for name, x in metrics(instruments.findings()).items()}
    for name in ("domain_nmi", "token_nmi"):
        found[name] -= found[f"{name}_null"]
    return found


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


def test_a_share_is_of_what_the_domain_could_tell_and_no_evenness() -> None:
    """The domain decides alone, over 8 experts or over 2: either way it tells all there is."""
    by_domain = torch.eye(DOMAINS, EXPERTS, dtype=torch.double)
    few = by_domain.clone()
    few[1] = few[0]
    for of_domain_NE in (by_domain, few):
        expert_NVE = of_domain_NE[:, None].expand(-1, SHARED + DOMAINS * OWN, -1)
        found = World(tokens_by_domain(0.9), expert_NVE).estimates(12800, 0)
        assert found["domain_given_token"] < 0.2  # as most tokens tell the domain already
        assert 0.85 < found["domain_share_given_token"] <= 1
    assert abs(WORLDS["token"].estimates(12800, 0)["domain_share_given_token"]) < 0.02


def test_experts_of_a_token_that_never_vary_leave_nothing_to_share() -> None:
    one = torch.zeros(DOMAINS, SHARED + DOMAINS * OWN, EXPERTS, dtype=torch.double)
    one[..., 0] = 1
    found = World(tokens_by_domain(0.4), one).estimates(800, 0)
    assert found["domain_share_given_token"] == 0
