"""What every loss on a routing decision promises."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from moebench.moe.contract import CONTRACT, wants_step_load
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.metrics import load
from moebench.testing.tokens import E, T


class LossContract:
    """What every loss on a routing decision promises."""

    sees_capacity_because = ""  # why the loss counts rows after capacity was applied

    def make(self) -> nn.Module:
        """Return the loss under test."""
        raise TypeError(f"{type(self).__name__}: override make")

    def decide(self, logits_TE: Tensor) -> RoutingDecision:
        """Return top-2 routing for these scores."""
        probs_TE = logits_TE.softmax(-1)
        weight_TK, expert_TK = probs_TE.topk(2)
        return tokens_choose(logits_TE, probs_TE, expert_TK, weight_TK)

    def value(self, decision: RoutingDecision) -> Tensor:
        """Return the loss of a decision that is alone in its optimiser step."""
        loss = self.make()
        given = (load(decision),) if wants_step_load(loss) else ()
        value: Tensor = loss(decision, *given)
        return value

    def scores(self) -> Tensor:
        """Return scores drawn with a fixed seed."""
        return torch.randn(T, E, generator=torch.Generator().manual_seed(3), dtype=torch.float64)

    def test_a_finite_scalar_with_a_gradient(self) -> None:
        """The gradient by the scores is not zero."""
        logits_TE = self.scores().requires_grad_()
        value = self.value(self.decide(logits_TE))
        assert value.shape == ()
        assert value.isfinite()
        value.backward()
        assert logits_TE.grad is not None
        assert logits_TE.grad.isfinite().all()
        assert logits_TE.grad.any()

    def test_the_load_of_the_step_counts_where_it_is_wanted(self) -> None:
        """A loss over the optimiser step differs from that of its batch alone."""
        loss, decision = self.make(), self.decide(self.scores())
        if wants_step_load(loss):
            uneven_E = torch.arange(E, dtype=torch.float64) / sum(range(E))
            assert loss(decision, uneven_E) != loss(decision, load(decision)), f"see {CONTRACT}"

    def test_the_order_of_tokens_does_not_matter(self) -> None:
        """It is a property of the batch."""
        order = torch.randperm(T, generator=torch.Generator().manual_seed(4))
        shuffled = self.value(self.decide(self.scores()[order]))
        torch.testing.assert_close(shuffled, self.value(self.decide(self.scores())))

    def test_the_size_of_the_batch_does_not_matter(self) -> None:
        """Repeating every token leaves the loss unchanged, so its weight keeps its meaning."""
        twice = self.value(self.decide(self.scores().repeat(2, 1)))
        torch.testing.assert_close(twice, self.value(self.decide(self.scores())))

    def test_no_tokens_are_no_loss(self) -> None:
        """An empty batch has zero loss and zero gradient."""
        logits_TE = self.scores()[:0].requires_grad_()
        value = self.value(self.decide(logits_TE))
        assert value == 0
        if value.requires_grad:
            value.backward()

    def test_it_sees_the_assignment_before_capacity(self) -> None:
        """Dropping or moving rows must not hide imbalance, unless the class says why."""
        full = self.decide(self.scores())
        dropped = replace(full, kept_A=torch.arange(2 * T) % 3 == 0)
        zero_A = torch.zeros_like(full.expert_A)
        moved = replace(full, expert_A=zero_A, original_expert_A=full.expert_A)
        for limited in (dropped, moved):
            unseen = torch.equal(self.value(limited), self.value(full))
            assert unseen == (not self.sees_capacity_because)
