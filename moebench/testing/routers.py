"""What every router promises."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from moebench.moe.decision import RoutingDecision
from moebench.testing.tokens import D, E, T, tokens


class RouterContract:
    """What every router promises.

    Two promises have exceptions that a class must state, with the reason; the tests then ask for
    the exception, so that no excuse outlives its cause.
    """

    no_gradient_because = ""  # why the weights carry no gradient to the router's parameters
    random_in_eval_because = ""  # why a router in eval mode decides anew at each call

    def make(self, dim: int, num_experts: int) -> nn.Module:
        """Return the router under test."""
        raise TypeError(f"{type(self).__name__}: override make")

    def decide(self, x_TD: Tensor, num_experts: int = E, train: bool = True) -> RoutingDecision:
        """Return a decision of a new router made and called with fixed seeds."""
        torch.manual_seed(0)
        router = self.make(D, num_experts).to(x_TD.dtype).train(train)
        torch.manual_seed(1)
        decision: RoutingDecision = router(x_TD)
        return decision

    @pytest.mark.parametrize(("num_tokens", "num_experts"), [(T, E), (1, E), (T, 1), (1, 1)])
    def test_shapes_and_ranges(self, num_tokens: int, num_experts: int) -> None:
        """Rows name tokens and experts that exist, once each."""
        decision = self.decide(tokens(num_tokens), num_experts)
        assert decision.logits_TE.shape == (num_tokens, num_experts)
        assert decision.probs_TE.shape == (num_tokens, num_experts)
        rows = {decision.token_A.shape, decision.expert_A.shape, decision.weight_A.shape}
        assert rows == {decision.kept_A.shape}
        assert decision.token_A.dtype == decision.expert_A.dtype == torch.int64
        assert decision.kept_A.dtype == torch.bool
        assert ((decision.token_A >= 0) & (decision.token_A < num_tokens)).all()
        assert ((decision.expert_A >= 0) & (decision.expert_A < num_experts)).all()
        pairs = list(zip(decision.token_A.tolist(), decision.expert_A.tolist(), strict=True))
        assert len(set(pairs)) == len(pairs)

    def test_num_experts_is_told(self) -> None:
        """The layer asks the router how many experts to make."""
        assert self.make(D, E).num_experts == E

    def test_probabilities_and_weights(self) -> None:
        """Probabilities sum to one; weights are finite and not negative."""
        decision = self.decide(tokens())
        torch.testing.assert_close(decision.probs_TE.sum(-1), torch.ones(T))
        assert (decision.weight_A >= 0).all()
        assert decision.weight_A.isfinite().all()

    @pytest.mark.parametrize("scale", [0.0, 1e4])
    def test_extreme_tokens_give_numbers(self, scale: float) -> None:
        """Nothing overflows."""
        decision = self.decide(tokens() * scale)
        for values in (decision.logits_TE, decision.probs_TE, decision.weight_A):
            assert values.isfinite().all()

    def test_float32_under_autocast(self) -> None:
        """The decision is made in float32 whatever surrounds it."""
        with torch.autocast("cpu", torch.bfloat16):
            inside = self.decide(tokens())
        outside = self.decide(tokens())
        for name in ("logits_TE", "probs_TE", "weight_A"):
            assert getattr(inside, name).dtype == torch.float32
            torch.testing.assert_close(getattr(inside, name), getattr(outside, name))
        assert torch.equal(inside.expert_A, outside.expert_A)

    def test_float64_is_kept(self) -> None:
        """Gradient checks need it."""
        decision = self.decide(tokens(dtype=torch.float64))
        assert decision.logits_TE.dtype == decision.weight_A.dtype == torch.float64

    @pytest.mark.parametrize("train", [True, False])
    def test_equal_seeds_decide_alike(self, train: bool) -> None:
        """All randomness comes from torch's generator, and the other mode draws no less."""
        first, second = (self.decide(tokens(), train=train) for _ in range(2))
        for name in ("expert_A", "weight_A", "kept_A"):
            assert torch.equal(getattr(first, name), getattr(second, name))

    def test_nothing_is_stored_by_a_call(self) -> None:
        """A decision is returned, never parked on the module."""
        router = self.make(D, E)
        before = copy.deepcopy(router.state_dict()), set(vars(router))
        router(tokens())
        assert set(vars(router)) == before[1]
        after = router.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before[0].items())

    def test_gradient_reaches_every_parameter(self) -> None:
        """Through the weights alone, unless the class says why not."""
        torch.manual_seed(0)
        router = self.make(D, E)
        parameters = list(router.parameters())
        decision: RoutingDecision = router(tokens())
        if not parameters or self.no_gradient_because:
            return
        generator = torch.Generator().manual_seed(2)
        answer_A = torch.randn(decision.weight_A.shape, generator=generator)
        (decision.weight_A * answer_A)[decision.kept_A].sum().backward()
        for parameter in parameters:
            assert parameter.grad is not None
            assert parameter.grad.any()

    def test_activation_checkpointing_sees_the_same_decision(self) -> None:
        """A second forward pass in the backward one leaves the gradients as they are."""
        gradients = []
        for wrapped in (False, True):
            torch.manual_seed(0)
            router = self.make(D, E)
            x_TD = tokens().requires_grad_()
            torch.manual_seed(1)

            def weights(x_TD: Tensor, router: nn.Module = router) -> Tensor:
                weight_A: Tensor = router(x_TD).weight_A
                return weight_A

            answer = checkpoint(weights, x_TD, use_reentrant=False) if wrapped else weights(x_TD)
            if answer.requires_grad:
                answer.square().sum().backward()
            gradients.append(x_TD.grad)
        assert (gradients[0] is None) == (gradients[1] is None)
        if gradients[0] is not None and gradients[1] is not None:
            torch.testing.assert_close(gradients[0], gradients[1])
