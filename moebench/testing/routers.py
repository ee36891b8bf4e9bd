"""What every router promises."""

import copy
from collections.abc import Mapping
from types import MappingProxyType

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from moebench.moe.contract import CONTRACT, has_state, never_updated, update
from moebench.moe.decision import RoutingDecision
from moebench.moe.sees import sees
from moebench.testing.sight import LENGTH, measured
from moebench.testing.tokens import D, E, T, tokens


def assert_same_decision(first: RoutingDecision, second: RoutingDecision) -> None:
    """Assert that two decisions are equal bit for bit, row by row."""
    for name in ("logits_TE", "probs_TE", "token_A", "expert_A", "weight_A", "kept_A"):
        assert torch.equal(getattr(first, name), getattr(second, name)), name


class RouterContract:
    """What every router promises.

    A test class must state exceptions to a promise, with the reason; the tests then require the
    exception, so that no excuse outlives its cause.
    """

    no_gradient_because = ""  # why the weights carry no gradient to the router's parameters
    no_gradient_to: Mapping[str, str] = MappingProxyType({})  # parameter -> why it gets no gradient
    random_in_eval_because = ""  # why a router in eval mode varies from call to call
    fewest_experts = 1  # fewer are refused
    shares_noise_because = ""  # why other tokens affect the noise that a token draws in training

    def make(self, dim: int, num_experts: int) -> nn.Module:
        """Return the router under test."""
        raise TypeError(f"{type(self).__name__}: override make")

    def fewest_tokens(self, num_experts: int) -> int:
        """Return the smallest training batch; smaller ones are refused, except an empty one."""
        return 1

    def decide(self, x_TD: Tensor, num_experts: int = E, train: bool = True) -> RoutingDecision:
        """Return the decision of a new router, built and called with fixed seeds."""
        torch.manual_seed(0)
        router = self.make(D, num_experts).to(x_TD.dtype).train(train)
        torch.manual_seed(1)
        decision: RoutingDecision = router(x_TD)
        return decision

    @pytest.mark.parametrize("train", [True, False])
    def test_shapes_and_ranges(self, train: bool) -> None:
        """Rows name existing tokens and experts, each pair once; too small inputs are refused."""
        for num_tokens, num_experts in [(T, E), (1, E), (0, E), (T, 1), (1, 1)]:
            too_small = train and 0 < num_tokens < self.fewest_tokens(num_experts)
            if num_experts < self.fewest_experts or too_small:
                with pytest.raises(ValueError, match="="):
                    self.decide(tokens(num_tokens), num_experts, train)
                continue
            decision = self.decide(tokens(num_tokens), num_experts, train)
            assert decision.logits_TE.shape == (num_tokens, num_experts)
            assert decision.probs_TE.shape == (num_tokens, num_experts)
            rows = {decision.token_A.shape, decision.expert_A.shape, decision.weight_A.shape}
            assert rows == {decision.kept_A.shape} == {(decision.token_A.numel(),)}
            assert decision.token_A.dtype == decision.expert_A.dtype == torch.int64
            assert decision.kept_A.dtype == torch.bool
            assert ((decision.token_A >= 0) & (decision.token_A < num_tokens)).all()
            assert ((decision.expert_A >= 0) & (decision.expert_A < num_experts)).all()
            pairs = list(zip(decision.token_A.tolist(), decision.expert_A.tolist(), strict=True))
            assert len(set(pairs)) == len(pairs)

    def test_num_experts_is_known(self) -> None:
        """The layer asks the router how many experts to build."""
        assert self.make(D, E).num_experts == E

    def test_probabilities_and_weights(self) -> None:
        """Probabilities are non-negative and sum to one; weights are finite and non-negative."""
        decision = self.decide(tokens())
        assert (decision.probs_TE >= 0).all()
        torch.testing.assert_close(decision.probs_TE.sum(-1), torch.ones(T))
        assert (decision.weight_A >= 0).all()
        assert decision.weight_A.isfinite().all()

    @pytest.mark.parametrize("scale", [0.0, 1e4])
    def test_extreme_tokens_give_finite_numbers(self, scale: float) -> None:
        """Nothing overflows, gradients included."""
        x_TD = (tokens() * scale).requires_grad_()
        decision = self.decide(x_TD)
        found = [decision.logits_TE, decision.probs_TE, decision.weight_A]
        if decision.weight_A.requires_grad:
            found += torch.autograd.grad(decision.weight_A.sum(), x_TD)
        assert all(values.isfinite().all() for values in found)

    def test_float32_under_autocast(self) -> None:
        """The decision is made in float32, whatever the surrounding precision."""
        with torch.autocast("cpu", torch.bfloat16):
            inside = self.decide(tokens())
        outside = self.decide(tokens())
        for name in ("logits_TE", "probs_TE", "weight_A"):
            assert getattr(inside, name).dtype == torch.float32
            torch.testing.assert_close(getattr(inside, name), getattr(outside, name))
        assert torch.equal(inside.expert_A, outside.expert_A)

    @pytest.mark.parametrize(
        ("given", "expected"),
        [(torch.bfloat16, torch.float32), (torch.float64, torch.float64)],
    )
    def test_float32_or_wider(self, given: torch.dtype, expected: torch.dtype) -> None:
        """A bfloat16 router decides in float32; float64 stays float64, as gradient checks need."""
        decision = self.decide(tokens(dtype=given))
        for values in (decision.logits_TE, decision.probs_TE, decision.weight_A):
            assert values.dtype == expected

    @pytest.mark.parametrize("train", [True, False])
    def test_equal_seeds_decide_alike(self, train: bool) -> None:
        """All randomness comes from torch's generator."""
        first, second = (self.decide(tokens(), train=train) for _ in range(2))
        assert_same_decision(first, second)

    def test_eval_mode_is_not_random(self) -> None:
        """The same input gives the same decision, unless the class says why not."""
        torch.manual_seed(0)
        router = self.make(D, E).eval()
        decisions: list[RoutingDecision] = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            decisions.append(router(tokens()))
        if not self.random_in_eval_because:
            assert_same_decision(*decisions)
            return
        with pytest.raises(AssertionError):
            assert_same_decision(*decisions)

    @pytest.mark.parametrize("train", [True, False])
    def test_nothing_is_stored_by_a_call(self, train: bool) -> None:
        """A decision is returned, never stored on the router or its parts."""
        router = self.make(D, E).train(train)
        state = copy.deepcopy(router.state_dict())
        attributes = [dict(vars(module)) for module in router.modules()]
        router(tokens())
        why = f"`forward` changes it; only `update(decisions)` may change state, see {CONTRACT}"
        assert [dict(vars(module)) for module in router.modules()] == attributes, why
        after = router.state_dict()
        changed = [name for name, value in state.items() if not torch.equal(after[name], value)]
        assert not changed, f"{', '.join(changed)}: {why}"

    def test_only_update_changes_state(self) -> None:
        """It changes buffers that checkpoints store; parameters belong to the optimiser."""
        torch.manual_seed(0)
        router = self.make(D, E)
        parts = ", ".join(type(part).__name__ for part in never_updated(router))
        assert not parts, f"{parts}: `update` is not passed on to it, see {CONTRACT}"
        if not has_state(router):
            return
        decisions = [router(tokens()) for _ in range(2)]
        attributes = [dict(vars(module)) for module in router.modules()]
        before = copy.deepcopy(router)
        update(router, decisions)
        assert [dict(vars(module)) for module in router.modules()] == attributes, (
            f"state belongs in buffers, see {CONTRACT}"
        )
        for name, parameter in router.named_parameters():
            assert torch.equal(parameter, before.get_parameter(name)), f"{name}, see {CONTRACT}"
        buffers = dict(router.named_buffers())
        changed = {n for n, b in buffers.items() if not torch.equal(b, before.get_buffer(n))}
        assert changed or not buffers, f"`update` must change the state, see {CONTRACT}"
        missing = changed - set(router.state_dict())
        assert not missing, f"checkpoints must store {', '.join(missing)}, see {CONTRACT}"

    def test_gradient_reaches_every_parameter(self) -> None:
        """Through the routing weights alone, unless the class says why not."""
        torch.manual_seed(0)
        router = self.make(D, E)
        parameters = dict(router.named_parameters())
        if not parameters:
            return
        decision: RoutingDecision = router(tokens())
        generator = torch.Generator().manual_seed(2)
        answer_A = torch.randn(decision.weight_A.shape, generator=generator)
        loss = (decision.weight_A * answer_A)[decision.kept_A].sum()
        inputs = list(parameters.values())
        found = torch.autograd.grad(loss, inputs, materialize_grads=True)
        reached = [bool(gradient.any()) for gradient in found]
        promised = [
            not self.no_gradient_because and name not in self.no_gradient_to for name in parameters
        ]
        assert reached == promised

    def test_activation_checkpointing_sees_the_same_decision(self) -> None:
        """Recomputing the forward pass during backward changes neither decision nor gradients."""
        decisions, gradients = [], []
        for wrapped in (False, True):
            torch.manual_seed(0)
            router = self.make(D, E)
            x_TD = tokens().requires_grad_()
            torch.manual_seed(1)
            decision: RoutingDecision
            decision = checkpoint(router, x_TD, use_reentrant=False) if wrapped else router(x_TD)
            loss = decision.weight_A.square().sum() + decision.logits_TE.square().sum()
            decisions.append(decision)
            inputs = [x_TD, *router.parameters()]
            if loss.requires_grad:
                gradients.append(torch.autograd.grad(loss, inputs, materialize_grads=True))
        assert_same_decision(*decisions)
        if gradients:
            torch.testing.assert_close(*gradients)

    @pytest.mark.parametrize("train", [True, False])
    def test_it_sees_what_it_says(self, train: bool) -> None:
        """Exactly the kinds of tokens that `sees` names can change another token's decision.

        If noise is drawn for some tokens only, other tokens affect which noise a token gets.
        """
        torch.manual_seed(0)
        router = self.make(D, E).train(train)
        for parameter in router.parameters():  # those that start at zero would see nothing
            nn.init.normal_(parameter, std=0.5)

        def decide(x_TD: Tensor) -> RoutingDecision:
            torch.manual_seed(1)
            decision: RoutingDecision = router(x_TD)
            return decision

        said, found = sees(router, LENGTH, train), measured(decide)
        if train and self.shares_noise_because:
            assert said != found
        else:
            assert said == found, f"`sees` must name what the router sees: {found}"
