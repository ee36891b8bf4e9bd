"""The kernels of `fused` against the loop in float64; `test_fused.py` runs this file.

On the GPU where there is one, else in Triton's interpreter, which does not know bfloat16.
"""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from moebench.moe.decision import RoutingDecision, tokens_choose
from moebench.moe.dispatch import Fused, Grouped, Loop
from moebench.moe.dispatch.fused import autograd as function
from moebench.moe.dispatch.fused import fits
from moebench.moe.experts import SwiGLU

NAMES = ("y", "x", "weight", "gate_up", "down")
GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
CLOSE = {torch.float32: 1e-5, torch.float16: 4e-3, torch.bfloat16: 3e-2}


def decide(num_tokens: int, num_experts: int, k: int, uneven: float = 0.0) -> RoutingDecision:
    """Return a choice of k experts per token; `uneven` favours the first ones."""
    logits_TE = torch.randn(num_tokens, num_experts) - uneven * torch.arange(num_experts)
    expert_TK = logits_TE.topk(k).indices
    return tokens_choose(logits_TE, logits_TE.softmax(-1), expert_TK, torch.rand(num_tokens, k))


def drop(decision: RoutingDecision, share: float) -> RoutingDecision:
    """Return the decision with some of its rows dropped."""
    return replace(decision, kept_A=torch.rand(decision.token_A.numel()) >= share)


def own_lists(num_tokens: int, num_experts: int) -> RoutingDecision:
    """Return rows in no order, some of weight zero, and tokens without any: experts choose."""
    decision = decide(num_tokens, num_experts, 1)
    token_A = torch.randint(num_tokens, (2 * num_tokens,))
    expert_A = torch.randint(num_experts, (2 * num_tokens,))
    kept_A = torch.ones(2 * num_tokens, dtype=torch.bool)
    weight_A = torch.rand(2 * num_tokens).where(torch.arange(2 * num_tokens) % 3 > 0, 0.0)
    return replace(decision, token_A=token_A, expert_A=expert_A, weight_A=weight_A, kept_A=kept_A)


DECISIONS = {  # none of the sizes is a multiple of a block
    "uneven": lambda: decide(19, 3, 2, uneven=0.5),
    "many experts": lambda: decide(2, 64, 6),
    "one expert": lambda: decide(21, 1, 1),
    "idle experts": lambda: decide(17, 3, 1, uneven=100.0),
    "all experts": lambda: decide(3, 4, 4),
    "some dropped": lambda: drop(decide(7, 3, 2), share=0.6),
    "all dropped": lambda: drop(decide(3, 4, 2), share=1.0),
    "experts choose": lambda: own_lists(5, 3),
}
SIZES = {"uneven": (36, 34), "large": (512, 384)}  # width and hidden: several blocks of each
MAIN = torch.bfloat16 if GPU else torch.float32
CASES = [(name, MAIN) for name in DECISIONS]
if GPU:  # every type and height of tiles is compiled for itself
    DECISIONS["large"] = lambda: drop(decide(4096, 8, 2, uneven=0.3), share=0.1)
    CASES += [("large", dtype) for dtype in CLOSE]
else:
    CASES += [("uneven", torch.float16)]


def answer(
    dispatcher: torch.nn.Module,
    decision: RoutingDecision,
    experts: SwiGLU,
    x_TD: Tensor,
    grad_TD: Tensor,
) -> list[Tensor]:
    """Return y_TD and the gradients by tokens, weights and both matrices."""
    x_TD = x_TD.clone().requires_grad_()
    weight_A = decision.weight_A.clone().requires_grad_()
    y_TD = dispatcher(x_TD, replace(decision, weight_A=weight_A), experts)
    assert y_TD.dtype == x_TD.dtype
    inputs = [x_TD, weight_A, experts.gate_up_EDF, experts.down_EFD]
    if not y_TD.requires_grad:
        return [y_TD, *map(torch.zeros_like, inputs)]
    found = torch.autograd.grad(y_TD, inputs, grad_TD.to(y_TD), materialize_grads=True)
    return [y_TD.detach(), *found]


def moved(decision: RoutingDecision) -> RoutingDecision:
    """Return the decision on the device."""
    parts = vars(decision).items()
    return RoutingDecision(**{name: part.to(DEVICE) for name, part in parts if part is not None})


def problem(name: str, dtype: torch.dtype) -> tuple[RoutingDecision, SwiGLU, Tensor, Tensor]:
    """Return decision, experts, tokens and the gradient of the answers."""
    torch.manual_seed(0)
    width, hidden = SIZES.get(name, (8, 5))
    decision = DECISIONS[name]()
    experts = SwiGLU(width, decision.num_experts, hidden).to(DEVICE, dtype)
    x_TD, grad_TD = torch.randn(2, decision.num_tokens, width).to(DEVICE, dtype)
    return moved(decision), experts, x_TD, grad_TD


def oracle(
    decision: RoutingDecision, experts: SwiGLU, x_TD: Tensor, grad_TD: Tensor
) -> list[Tensor]:
    """Return what the loop answers in float64."""
    width, hidden = experts.gate_up_EDF.shape[1], experts.down_EFD.shape[1]
    exact = SwiGLU(width, decision.num_experts, hidden).to(DEVICE, torch.float64)
    exact.load_state_dict(experts.state_dict())
    return answer(Loop(), decision, exact, x_TD.double(), grad_TD.double())


def assert_near(found: list[Tensor], expected: list[Tensor], close: float) -> None:
    """Compare by the size of the whole: rounding is of the sums, not of what is left of them."""
    for name, ours, theirs in zip(NAMES, found, expected, strict=True):
        assert ours.isfinite().all(), name
        error = (ours.double() - theirs.double()).norm()
        assert error <= close * theirs.double().norm(), name


@pytest.mark.parametrize(("name", "dtype"), CASES)
def test_equal_to_the_loop(name: str, dtype: torch.dtype) -> None:
    given = problem(name, dtype)
    assert fits(given[1], given[2], given[0])
    assert_near(answer(Fused(), *given), oracle(*given), CLOSE[dtype])


def test_dropped_rows_are_not_computed() -> None:
    """Not even with a weight of zero: a NaN would show."""
    decision, experts, x_TD, grad_TD = problem("some dropped", MAIN)
    left = torch.ones(decision.num_tokens, dtype=torch.bool, device=DEVICE)
    left[decision.token_A[decision.kept_A]] = False
    assert left.any()
    x_TD[left] = torch.nan
    y_TD, *gradients = answer(Fused(), decision, experts, x_TD, grad_TD)
    assert not y_TD[left].any()
    assert not gradients[0][left].any()
    assert not gradients[1][~decision.kept_A].any()
    assert all(part.isfinite().all() for part in gradients)


def test_under_autocast() -> None:
    """Factors are cast, the tokens keep their dtype, and so do gradients."""
    given = problem("experts choose", torch.float32)
    dtype = torch.bfloat16 if GPU else torch.float16
    with torch.autocast(DEVICE.type, dtype):
        found = answer(Fused(), *given)
        assert fits(given[1], given[2].half(), given[0])  # one type after the cast
    assert [part.dtype for part in found] == [torch.float32] * 5
    assert_near(found, oracle(*given), CLOSE[dtype])


@pytest.mark.skipif(not GPU, reason="needs a GPU")
def test_the_same_bits_each_time() -> None:
    given = problem("some dropped", MAIN)
    for first, second in zip(answer(Fused(), *given), answer(Fused(), *given), strict=True):
        assert torch.equal(first, second)


def test_what_backward_keeps() -> None:
    """The worked example of the dispatcher, in numbers a token."""
    kept: dict[str, int] = {}
    torch.manual_seed(0)
    decision, experts = moved(decide(10, 4, 2)), SwiGLU(4, 4, hidden=3).to(DEVICE)
    owned = {parameter.untyped_storage().data_ptr() for parameter in experts.parameters()}
    for dispatcher in (Fused(), Grouped()):
        seen: dict[int, int] = {}

        def note(part: Tensor, seen: dict[int, int] = seen) -> Tensor:
            storage = part.untyped_storage()
            if part.dim() == 2 and part.shape[1] > 1 and storage.data_ptr() not in owned:
                seen[storage.data_ptr()] = storage.nbytes() // part.element_size()
            return part

        x_TD = torch.randn(10, 4, device=DEVICE, requires_grad=True)
        with torch.autograd.graph.saved_tensors_hooks(note, lambda part: part):
            y_TD = dispatcher(x_TD, decision, experts)
        kept[type(dispatcher).__name__] = sum(seen.values()) // 10
        del y_TD
    assert kept == {"Fused": 16, "Grouped": 40}


def test_nothing_is_kept_where_no_gradient_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    saved, original = [], function.activate

    def activate(*arguments: Any) -> Any:
        h_RF, act_RF = original(*arguments)
        saved.append(h_RF is not None)
        return h_RF, act_RF

    monkeypatch.setattr(function, "activate", activate)
    decision, experts, x_TD, grad_TD = problem("experts choose", MAIN)
    expected = answer(Fused(), decision, experts, x_TD, grad_TD)[0]
    with torch.no_grad():
        assert torch.equal(Fused()(x_TD, decision, experts), expected)
    assert saved == [True, False]


@pytest.mark.skipif(not GPU, reason="needs a GPU")
def test_the_host_never_waits() -> None:
    given = problem("some dropped", MAIN)
    answer(Fused(), *given)  # tries out the blocks
    torch.cuda.set_sync_debug_mode("error")
    try:
        answer(Fused(), *given)
    finally:
        torch.cuda.set_sync_debug_mode("default")
