"""What every dispatcher promises: the outputs and gradients of a loop over experts."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch.loop import Loop
from moebench.moe.experts.relu_mlp import ReluMLP
from moebench.moe.layer import MoELayer
from moebench.moe.routers.top_k import TopK
from moebench.testing.tokens import D, E, T, tokens


def decide(expert_TK: Tensor, weight_TK: Tensor, kept_A: Tensor) -> RoutingDecision:
    """Return a decision with these experts and weights, keeping these assignments."""
    scores_TE = torch.zeros(T, E)
    full = tokens_choose(scores_TE, scores_TE.softmax(-1), expert_TK, weight_TK)
    return replace(full, kept_A=kept_A)


def answer_and_gradients(
    dispatcher: nn.Module,
    x_TD: Tensor,
    expert_TK: Tensor,
    weight_TK: Tensor,
    kept_A: Tensor,
) -> list[Tensor]:
    """Return y_TD and the gradients by tokens, routing weights and every expert parameter."""
    torch.manual_seed(0)
    experts = ReluMLP(D, E, hidden=16).to(x_TD.dtype)
    x_TD, weight_TK = x_TD.clone().requires_grad_(), weight_TK.clone().requires_grad_()
    y_TD: Tensor = dispatcher(x_TD, decide(expert_TK, weight_TK, kept_A), experts)
    assert y_TD.shape == x_TD.shape
    assert y_TD.dtype == x_TD.dtype
    inputs = [x_TD, weight_TK, *experts.parameters()]
    if not y_TD.requires_grad:  # no row was kept
        return [y_TD, *(torch.zeros_like(part) for part in inputs)]
    gradients = torch.autograd.grad(y_TD.sin().sum(), inputs, materialize_grads=True)
    return [y_TD, *gradients]


def layer_and_gradients(layer: nn.Module, x_TD: Tensor) -> list[Tensor]:
    """Return a mixture's output and the gradients by tokens and by every parameter."""
    x_TD = x_TD.clone().requires_grad_()
    y_TD, _ = layer(x_TD)
    inputs = [x_TD, *layer.parameters()]
    return [y_TD, *torch.autograd.grad(y_TD.float().sin().sum(), inputs, materialize_grads=True)]


class DispatcherContract:
    """What every dispatcher promises: the outputs and gradients of a loop over experts."""

    def make(self) -> nn.Module:
        """Return the dispatcher under test."""
        raise TypeError(f"{type(self).__name__}: override make")

    @pytest.mark.parametrize(
        ("kept", "k", "dtype"),
        [
            *((kept, k, torch.float32) for kept in ("all", "some", "none") for k in (1, 2, E)),
            ("one expert", 2, torch.float32),
            ("some", 2, torch.float64),
            ("some", 2, torch.bfloat16),
        ],
    )
    def test_equal_to_the_loop(self, kept: str, k: int, dtype: torch.dtype) -> None:
        """Output and all gradients, with dropped rows, tokens without experts, and idle experts."""
        generator = torch.Generator().manual_seed(k)
        expert_TK = torch.randn(T, E, generator=generator).topk(k).indices
        weight_TK = torch.rand(T, k, generator=generator)
        kept_A = {
            "all": torch.ones(T * k, dtype=torch.bool),
            "some": torch.rand(T * k, generator=generator) > 0.4,
            "none": torch.zeros(T * k, dtype=torch.bool),
            "one expert": expert_TK.T.flatten() == 2,
        }[kept]
        problem = tokens(dtype=dtype), expert_TK, weight_TK, kept_A
        oracle = answer_and_gradients(Loop(), *problem)
        ours = answer_and_gradients(self.make(), *problem)
        close = 0.03 if dtype == torch.bfloat16 else None
        for expected, actual in zip(oracle, ours, strict=True):
            torch.testing.assert_close(actual, expected, atol=close, rtol=close)

    def mixture(self, dispatcher: nn.Module) -> nn.Module:
        """Return a whole layer with the same weights whose router drops some rows."""
        torch.manual_seed(0)
        router = Limited(D, lambda dim: TopK(dim, E), Capacity(factor=1.0))
        return MoELayer(router, ReluMLP(D, E, hidden=16), dispatcher)

    def test_compiled_as_uncompiled(self) -> None:
        """Also under torch.compile, for batches with different expert loads."""
        layer = self.mixture(self.make())
        torch.compiler.reset()
        compiled: Any = torch.compile(layer, backend="aot_eager")
        for x_TD in (tokens(), tokens().flip(-1)):
            ours, expected = layer_and_gradients(compiled, x_TD), layer_and_gradients(layer, x_TD)
            for actual, wanted in zip(ours, expected, strict=True):
                torch.testing.assert_close(actual, wanted)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
    def test_under_autocast(self, dtype: torch.dtype) -> None:
        """Outputs keep the tokens' type, and everything stays close to the loop in float32."""
        x_TD = tokens().to(torch.bfloat16)
        oracle = layer_and_gradients(self.mixture(Loop()), x_TD.float())
        with torch.autocast("cpu", torch.bfloat16):
            ours = layer_and_gradients(self.mixture(self.make()), x_TD.to(dtype))
        types = [dtype, dtype] + [torch.float32] * (len(ours) - 2)
        assert [part.dtype for part in ours] == types
        for actual, expected in zip(ours, oracle, strict=True):
            torch.testing.assert_close(actual.float(), expected, atol=0.03, rtol=0.03)

    def test_no_tokens_at_all(self) -> None:
        """An empty batch has an empty output."""
        none_01 = torch.zeros(0, 1, dtype=torch.int64)
        scores_0E = torch.zeros(0, E)
        decision = tokens_choose(scores_0E, scores_0E, none_01, torch.ones(0, 1))
        assert self.make()(tokens(0), decision, ReluMLP(D, E, hidden=16)).shape == (0, D)

    def test_dropped_rows_are_not_computed(self) -> None:
        """Not even with a weight of zero: NaN would show."""
        kept_T = torch.arange(T) % 3 > 0
        x_TD = tokens().masked_fill(~kept_T[:, None], torch.nan)
        expert_T1 = torch.arange(T)[:, None] % E
        found = answer_and_gradients(self.make(), x_TD, expert_T1, torch.ones(T, 1), kept_T)
        assert all(part.isfinite().all() for part in found)

    def test_a_token_without_an_expert_gets_nothing(self) -> None:
        """Its output is zero; the residual connection around the layer carries it on."""
        expert_T1 = torch.zeros(T, 1, dtype=torch.int64)
        decision = decide(expert_T1, torch.ones(T, 1), torch.arange(T) < 5)
        y_TD = self.make()(tokens(), decision, ReluMLP(D, E, hidden=16))
        assert y_TD[:5].any(dim=-1).all()
        assert not y_TD[5:].any()
