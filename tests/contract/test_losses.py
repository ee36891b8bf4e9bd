"""Every loss meets its contract."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from moebench.moe.balance import BalancedDecision
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.hierarchy import HierarchicalDecision
from moebench.moe.losses import LOSSES, Importance, Load, LoadBalance
from moebench.moe.noise import NoisyDecision
from moebench.testing import LossContract
from moebench.testing.tokens import T


def noisy(logits_TE: Tensor, k: int) -> NoisyDecision:
    """The k best of these scores, of which half are noise."""
    top_TK, expert_TK = logits_TE.topk(k)
    chosen = tokens_choose(logits_TE, logits_TE.softmax(-1), expert_TK, top_TK.softmax(-1))
    spread_TE = softplus(logits_TE.flip(-1))
    return NoisyDecision(**vars(chosen), clean_TE=logits_TE / 2, spread_TE=spread_TE, k=k)


@pytest.mark.parametrize("name", LOSSES)
class TestFamily(LossContract):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name

    def make(self) -> nn.Module:
        arguments = {
            "over_devices": [LoadBalance()],
            "device_balance": [2],
            "sequence_balance": [T],
        }
        return LOSSES[self.name](*arguments.get(self.name, []))

    def decide(self, logits_TE: Tensor) -> RoutingDecision:
        """Return the kind of decision that the loss is about."""
        if self.name == "load":
            return noisy(logits_TE, k=2)
        if self.name == "threshold":
            chosen = super().decide(logits_TE.detach())
            # The scores stand for the thresholds, as the tests look for a gradient there.
            return BalancedDecision(**vars(chosen), threshold_E=logits_TE.mean(dim=0))
        return super().decide(logits_TE)


@pytest.mark.parametrize("loss", [Importance, Load])
class TestTwoLevels(LossContract):
    @pytest.fixture(autouse=True)
    def _named(self, loss: type[nn.Module]) -> None:
        self.loss = loss

    def make(self) -> nn.Module:
        return self.loss()

    def decide(self, logits_TE: Tensor) -> RoutingDecision:
        """Return a choice of one of two groups, and of one of two experts in it."""
        primary = noisy(logits_TE[:, :2], k=1)
        token_of = [primary.token_A[primary.expert_A == group] for group in range(2)]
        secondary = [noisy(logits_TE[token_R][:, 2:], k=1) for token_R in token_of]
        expert_A = torch.cat([d.expert_A + 2 * group for group, d in enumerate(secondary)])
        token_A = torch.cat(token_of)
        probs_TE = logits_TE.softmax(-1)
        return HierarchicalDecision(
            logits_TE=logits_TE,
            probs_TE=probs_TE,
            token_A=token_A,
            expert_A=expert_A,
            weight_A=probs_TE[token_A, expert_A],
            kept_A=torch.ones_like(token_A, dtype=torch.bool),
            primary=primary,
            secondary=secondary,
            token_of=token_of,
        )
