"""Whether the GPU agrees with the definition, for every router, dispatcher and data type.

The definition is a loop over experts on the CPU in float64. Routers and dispatchers are compared
with it separately: the loop uses the GPU's choices, so that a tie broken differently counts as a
tie and not as a dispatcher's error.
"""

import copy
import inspect
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.gpu.items import Item
from benchmarks.gpu.repeat import repeatable, unsynchronised
from benchmarks.gpu.session import Session
from moebench.moe.capacity.limit import Capacity, Limited
from moebench.moe.decision import RoutingDecision
from moebench.moe.dispatch import DISPATCHERS, Loop
from moebench.moe.experts import SwiGLU
from moebench.moe.routers import ROUTERS, Switch

E = 16  # experts: enough for routers with groups
DTYPES = (torch.bfloat16, torch.float32, torch.float16, torch.float64)
LIMITED = "switch, limited"  # its experts have too little capacity
TIES = 1e-3  # largest share of tokens whose choice may be decided by rounding


@dataclass(frozen=True)
class Size:
    """The size of the problem: T tokens, width D, F features per expert."""

    tokens: int
    dim: int
    hidden: int


LARGE, SMALL = Size(1024, 256, 512), Size(32, 16, 32)


def tolerance(dtype: torch.dtype) -> float:
    """Return the relative error, in the norm, that rounding in a data type explains.

    A result is rounded about 16 times: two products, an activation, a gate, a weight, a sum over
    choices, and the same again in backward. Each error is random and at most half an eps, so the
    total is about sqrt(16) * eps / 2 / sqrt(3) = 1.2 eps; twice that is allowed. 16-bit types are
    summed in float32, which adds nothing. Other types are summed in their own precision, and the
    error of a sum of n terms grows with sqrt(n), here up to the 1024 tokens of a gradient.
    """
    eps = torch.finfo(dtype).eps
    return 2.4 * eps * (1 if dtype.itemsize == 2 else 1024**0.5)


def relative(actual: Tensor, expected: Tensor) -> float:
    """Return the norm of the error over the norm of the expected value.

    Raises:
        ValueError: if it is NaN.
    """
    wanted = expected.detach().double()
    norm, error = float(wanted.norm()), float((actual.detach().cpu().double() - wanted).norm())
    if not math.isfinite(error):
        raise ValueError("the output or a gradient is NaN")
    return error / norm if norm else error


def routers(dim: int) -> dict[str, nn.Module]:
    """Return every router, and one that drops rows, with two experts per token where possible.

    A single expert's weight may be 1 whatever its score, and then has no gradient to compare.
    """
    found = {}
    for name, router in ROUTERS.items():
        two = {"k": 2} if "k" in inspect.signature(router).parameters else {}
        found[name] = router(dim, num_experts=E, **two)
    found[LIMITED] = Limited(dim, lambda d: Switch(d, E), Capacity(factor=1.0))
    for router in found.values():
        for parameter in router.parameters():
            if parameter.dim() > 1:  # some start at zero, where all tokens choose the same
                nn.init.normal_(parameter, std=0.5)
    return found


def items(session: Session) -> Iterator[Item]:
    """Yield a comparison for each type, dispatcher and router; types used in training first."""
    size = SMALL if session.small else LARGE
    for dtype in DTYPES[:1] if session.small else DTYPES:
        name = str(dtype).removeprefix("torch.")
        for dispatcher in DISPATCHERS:
            for router in (*ROUTERS, LIMITED):
                case = Case(session.device, dtype, router, dispatcher, size)
                yield Item("parity", f"{router}, {dispatcher}, {name}", dispatcher, 2.0, case)


def run(session: Session) -> None:
    """Compare all."""
    session.work_on(items(session))


@dataclass(frozen=True)
class Case:
    """One comparison."""

    device: torch.device
    dtype: torch.dtype
    router: str
    dispatcher: str
    size: Size

    def __call__(self) -> Mapping[str, Any]:
        """Return the errors of router and dispatcher, their limits, and other observations."""
        torch.manual_seed(0)
        on_cpu = routers(self.size.dim)[self.router].to(self.dtype).eval()
        experts_on_cpu = SwiGLU(self.size.dim, E, self.size.hidden).to(self.dtype)
        x_TD = torch.randn(self.size.tokens, self.size.dim).to(self.dtype)
        router = copy.deepcopy(on_cpu).to(self.device)
        layer = Carried(
            x_TD.to(self.device),
            _decide(router, x_TD.to(self.device)),
            copy.deepcopy(experts_on_cpu).to(self.device),
            DISPATCHERS[self.dispatcher](),
        )
        loop = Carried(x_TD.double(), _plain(layer.decision), experts_on_cpu.double(), Loop())
        errors = layer.errors(loop, self.dtype)
        routed = _routed(router, on_cpu.double(), x_TD.to(self.device), x_TD.double())
        allowed = tolerance(self.dtype)
        in_scores = tolerance(torch.promote_types(self.dtype, torch.float32))
        return {
            "passed": max(*errors.values(), routed["gradients"]) <= allowed
            and routed["scores"] <= in_scores
            and routed["ties"] <= TIES,
            "errors": errors,
            "routing": routed,
            "allowed": {"errors": allowed, "scores": in_scores},
            "same bits": repeatable(layer.outcome),
            "waits for the card": {
                "router": unsynchronised(lambda: _decide(router, layer.x_TD), self.device),
                "dispatch": unsynchronised(layer.outcome, self.device),
            },
        }


@dataclass(frozen=True)
class Carried:
    """Tokens, a routing decision, experts, and the dispatcher that executes it."""

    x_TD: Tensor
    decision: RoutingDecision
    experts: nn.Module
    dispatcher: nn.Module

    def outcome(self) -> list[Tensor]:
        """Return y_TD and the gradients by tokens, routing weights and expert parameters."""
        x_TD = self.x_TD.detach().requires_grad_()
        weight_A = self.decision.weight_A.detach().requires_grad_()
        y_TD: Tensor = self.dispatcher(
            x_TD, replace(self.decision, weight_A=weight_A), self.experts
        )
        inputs = [x_TD, weight_A, *self.experts.parameters()]
        gradients = torch.autograd.grad(y_TD, inputs, x_TD.detach(), materialize_grads=True)
        return [y_TD, *gradients]

    def errors(self, expected: "Carried", dtype: torch.dtype) -> dict[str, float]:
        """Return the error of each part of the outcome.

        Raises:
            TypeError: if the output and the tokens have different types.
        """
        ours, theirs = self.outcome(), expected.outcome()
        if ours[0].dtype != dtype:
            raise TypeError(f"the output is {ours[0].dtype}, the tokens are {dtype}")
        names = ["output", "tokens", "weights", *(n for n, _ in self.experts.named_parameters())]
        pairs = zip(names, ours, theirs, strict=True)
        return {name: relative(actual, wanted) for name, actual, wanted in pairs}


def _decide(router: nn.Module, x_TD: Tensor) -> RoutingDecision:
    """Return the decision of a router, the same at every call."""
    torch.manual_seed(1)
    decision: RoutingDecision = router(x_TD)
    return decision


def _plain(decision: RoutingDecision) -> RoutingDecision:
    """Return a decision on the CPU in float64, without the extra fields of some routers."""
    return RoutingDecision(
        logits_TE=decision.logits_TE.detach().cpu().double(),
        probs_TE=decision.probs_TE.detach().cpu().double(),
        token_A=decision.token_A.cpu(),
        expert_A=decision.expert_A.cpu(),
        weight_A=decision.weight_A.detach().cpu().double(),
        kept_A=decision.kept_A.cpu(),
    )


def _routed(router: nn.Module, exact: nn.Module, x_TD: Tensor, exact_TD: Tensor) -> dict[str, Any]:
    """Return the errors of a router, and the share of tokens with different choices.

    Scores are at least float32, whatever the tokens' type; gradients are rounded to their own type.
    Random draws differ between devices, so they are not compared.
    """
    x_TD, exact_TD = x_TD.detach().requires_grad_(), exact_TD.detach().requires_grad_()
    ours, theirs = _decide(router, x_TD), _decide(exact, exact_TD)
    scores = [relative(ours.logits_TE, theirs.logits_TE), relative(ours.probs_TE, theirs.probs_TE)]
    torch.manual_seed(2)
    if not torch.equal(router(x_TD).expert_A, ours.expert_A):
        return {"scores": max(scores), "gradients": 0.0, "ties": 0.0, "drawn": True}
    given_TE, wanted_TE = _weights(ours).cpu(), _weights(theirs)
    same_T = ((given_TE >= 0) == (wanted_TE >= 0)).all(dim=-1)
    scores.append(relative(given_TE[same_T], wanted_TE[same_T]))
    slope_TE = torch.randn(wanted_TE.shape, generator=torch.Generator().manual_seed(3))
    slope_TE = slope_TE.double() * same_T[:, None]
    pairs = zip(
        _gradients(router, ours, x_TD, slope_TE.to(x_TD.device)),
        _gradients(exact, theirs, exact_TD, slope_TE),
        strict=True,
    )
    slopes = [relative(actual, wanted) for actual, wanted in pairs]
    ties = 1 - float(same_T.double().mean())
    return {
        "scores": max(scores),
        "gradients": max(slopes, default=0.0),
        "ties": ties,
        "drawn": False,
    }


def _weights(decision: RoutingDecision) -> Tensor:
    """Return weight_TE for the rows kept, -1 elsewhere."""
    weight_TE = torch.full_like(decision.probs_TE, -1.0)
    kept_A = decision.kept_A
    place = (decision.token_A[kept_A], decision.expert_A[kept_A])
    return weight_TE.index_put(place, decision.weight_A[kept_A].detach())


def _gradients(
    router: nn.Module, decision: RoutingDecision, x_TD: Tensor, slope_TE: Tensor
) -> Sequence[Tensor]:
    """Return the gradients of a sum of weights by tokens and parameters, if there are any."""
    slope_A = slope_TE[decision.token_A, decision.expert_A].to(decision.weight_A.dtype)
    total = (decision.weight_A * slope_A)[decision.kept_A].sum()
    if not total.requires_grad:
        return []
    inputs = [x_TD, *router.parameters()]
    return torch.autograd.grad(total, inputs, materialize_grads=True)
