"""Known routing, constructed rather than trained, for the controls of claims about routing.

The text is random: each window has one of three domains, which says nothing about its tokens. A
rule gives every token its first expert, and the second is the next one; the analysis treats this
like the routing of a model.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from moebench.analysis import Instruments, Labels, count_tokens, metrics
from moebench.evidence.record import FIRST_FRESH_SEED
from moebench.moe.decision import RoutingDecision, tokens_choose

EXPERTS = 8
DOMAINS, VOCABULARY, WINDOWS, LENGTH = 3, 64, 48, 64
SPAN = 4  # number of consecutive tokens that share an expert
SEEDS = 5

Metrics = dict[int, dict[str, float]]
Rule = Callable[[Tensor, Tensor, torch.Generator], Tensor]  # ids_BL, domain_B, chance -> first_BL


def by_lot(ids_BL: Tensor, domain_B: Tensor, chance: torch.Generator) -> Tensor:
    """Return first_BL that depend on nothing."""
    return torch.randint(EXPERTS, ids_BL.shape, generator=chance)


def by_span(ids_BL: Tensor, domain_B: Tensor, chance: torch.Generator) -> Tensor:
    """Return first_BL that depend on the position in the text: neighbours share experts."""
    spans_BX = torch.randint(EXPERTS, (len(ids_BL), LENGTH // SPAN), generator=chance)
    return spans_BX.repeat_interleave(SPAN, dim=1)


def by_token(ids_BL: Tensor, domain_B: Tensor, chance: torch.Generator) -> Tensor:
    """Return first_BL that depend only on the token."""
    return ids_BL % EXPERTS


def by_domain(ids_BL: Tensor, domain_B: Tensor, chance: torch.Generator) -> Tensor:
    """Return first_BL that depend only on the domain."""
    return domain_B[:, None].expand_as(ids_BL)


def seen(rules: Sequence[Rule]) -> Metrics:
    """Return seed -> metrics of the analysis, with one rule per layer."""
    return {FIRST_FRESH_SEED + n: _of_seed(rules, FIRST_FRESH_SEED + n) for n in range(SEEDS)}


def _of_seed(rules: Sequence[Rule], seed: int) -> dict[str, float]:
    chance = torch.Generator().manual_seed(seed)
    domain_B = torch.randint(DOMAINS, (WINDOWS,), generator=chance)
    ids_BL = torch.randint(VOCABULARY, (WINDOWS, LENGTH), generator=chance)
    labels = Labels(domain_B, tuple(map(str, range(DOMAINS))))
    text = count_tokens([(ids_BL, domain_B)], VOCABULARY, DOMAINS)
    found = Instruments([EXPERTS] * len(rules), labels, text)
    layers = [rule(ids_BL, domain_B, chance) for rule in rules]
    found.add(ids_BL, [_decision(first_BL) for first_BL in layers])
    place_BL = torch.rand(ids_BL.shape, generator=chance).argsort(dim=1)
    disordered = [first_BL.gather(1, place_BL) for first_BL in layers]
    found.add_shuffled([_decision(first_BL) for first_BL in disordered], WINDOWS)
    return metrics(found.findings())


def _decision(first_BL: Tensor) -> RoutingDecision:
    """Return the decision that sends each token to its first expert and the next one."""
    first_T = first_BL.flatten()
    expert_TK = torch.stack([first_T, (first_T + 1) % EXPERTS], dim=1)
    probs_TE = torch.full((len(first_T), EXPERTS), 1 / EXPERTS)
    weight_TK = torch.tensor([0.6, 0.4]).expand(len(first_T), -1)
    return tokens_choose(probs_TE.log(), probs_TE, expert_TK, weight_TK)


neighbours = partial(seen, (by_lot, by_span, by_span))
token = partial(seen, (by_token, by_token))
domain = partial(seen, (by_domain, by_domain))
