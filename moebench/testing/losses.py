"""What every loss on a routing decision promises."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from moebench.moe.decision import tokens_choose
from moebench.testing.tokens import E, T


class LossContract:
    """What every loss on a routing decision promises."""

    def make(self) -> nn.Module:
        """Return the loss under test."""
        raise TypeError(f"{type(self).__name__}: override make")

    def value(self, logits_TE: Tensor, kept_A: Tensor | None = None) -> Tensor:
        """Return the loss of top-2 routing by these scores."""
        probs_TE = logits_TE.softmax(-1)
        weight_TK, expert_TK = probs_TE.topk(2)
        full = tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK)
        kept = full.kept_A if kept_A is None else kept_A
        loss: Tensor = self.make()(replace(full, kept_A=kept))
        return loss

    def scores(self) -> Tensor:
        """Return scores drawn with a fixed seed."""
        return torch.randn(T, E, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def test_a_finite_scalar_with_a_gradient(self) -> None:
        """It moves the scores."""
        logits_TE = self.scores().requires_grad_()
        value = self.value(logits_TE)
        assert value.shape == ()
        assert value.isfinite()
        value.backward()
        assert logits_TE.grad is not None
        assert logits_TE.grad.isfinite().all()
        assert logits_TE.grad.any()

    def test_the_order_of_tokens_does_not_matter(self) -> None:
        """It is a property of the batch."""
        order = torch.randperm(T, generator=torch.Generator().manual_seed(4))
        torch.testing.assert_close(self.value(self.scores()[order]), self.value(self.scores()))

    def test_it_sees_the_assignment_before_dropping(self) -> None:
        """Dropping must not hide imbalance."""
        dropped = self.value(self.scores(), torch.zeros(2 * T, dtype=torch.bool))
        assert torch.equal(dropped, self.value(self.scores()))
