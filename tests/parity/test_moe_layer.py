"""The layer against brute force and against Hugging Face's Mixtral block, gradients included."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from moebench.moe import Capacity, Limited, MoELayer, RoutingDecision
from moebench.moe.capacity.overflow import NextExpert
from moebench.moe.dispatch import DISPATCHERS
from moebench.moe.experts import EXPERTS, ReluMLP, SwiGLU
from moebench.moe.experts.grouped_matmul import grouped_matmul
from moebench.moe.routers import ROUTERS, Hierarchical, TopK

T, D, E, F = 24, 8, 4, 16


def brute_force(x_TD: Tensor, decision: RoutingDecision, experts: nn.Module) -> Tensor:
    """One row after the other, straight from the experts' weights."""
    answers = [torch.zeros_like(x_TD[0]) for _ in range(len(x_TD))]
    rows = zip(decision.token_A.tolist(), decision.expert_A.tolist(), strict=True)
    for row, (token, expert) in enumerate(rows):
        if not decision.kept_A[row]:
            continue
        x_D = x_TD[token]
        if isinstance(experts, ReluMLP):
            y_D = (x_D @ experts.up_EDF[expert]).relu() @ experts.down_EFD[expert]
        elif isinstance(experts, SwiGLU):
            gate_F, up_F = (x_D @ experts.gate_up_EDF[expert]).chunk(2)
            y_D = (silu(gate_F) * up_F) @ experts.down_EFD[expert]
        else:
            y_D = x_D @ experts.weight_EDF[expert]
        answers[token] = answers[token] + decision.weight_A[row] * y_D
    return torch.stack(answers)


def make_router(name: str) -> nn.Module:
    if name == "limited":
        return Limited(D, lambda dim: TopK(dim, E, 2), Capacity(factor=1.0))
    if name == "next expert":
        return Limited(D, lambda dim: TopK(dim, E, 1), Capacity(factor=1.0), NextExpert)
    if name == "hierarchical":  # two groups of two, as few as there can be
        return Hierarchical(D, E, 2, primary=TopK, secondary=TopK)
    return ROUTERS[name](D, E)


@pytest.mark.parametrize("dispatcher", DISPATCHERS)
@pytest.mark.parametrize(
    ("router", "kind", "dtype"),  # of experts and of the precision a router takes no notice
    [(router, "swiglu", torch.float32) for router in (*ROUTERS, "limited", "next expert")]
    + [("limited", kind, torch.float64) for kind in EXPERTS],
)
def test_every_router_with_every_dispatcher(
    router: str, kind: str, dtype: torch.dtype, dispatcher: str
) -> None:
    torch.manual_seed(0)
    arguments = {} if kind == "linear" else {"hidden": F}
    layer = MoELayer(
        make_router(router), EXPERTS[kind](D, E, **arguments), DISPATCHERS[dispatcher]()
    )
    layer = layer.to(dtype).eval()
    x_TD = torch.randn(T, D, dtype=dtype, requires_grad=True)
    inputs = [x_TD, *layer.parameters()]
    gradients = []
    for reference in (False, True):
        torch.manual_seed(1)
        if reference:
            decision = layer.router(x_TD)
            y_TD = brute_force(x_TD, decision, layer.experts)
        else:
            y_TD, decision = layer(x_TD)
        found = torch.autograd.grad(y_TD.sin().sum(), inputs, materialize_grads=True)
        gradients.append([y_TD, *found])
    for ours, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, expected)


def test_the_layer_is_exactly_differentiable() -> None:
    torch.manual_seed(0)
    layer = MoELayer(TopK(D, E, 2), SwiGLU(D, E, 4), DISPATCHERS["grouped"]()).double()
    x_TD = torch.randn(3, D, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: layer(x)[0], x_TD)


@pytest.mark.parametrize("dispatcher", DISPATCHERS)
@pytest.mark.parametrize("kind", EXPERTS)
def test_bfloat16_is_float32_rounded(kind: str, dispatcher: str) -> None:
    """The same weights and tokens: the router decides alike, the answers agree to rounding."""
    torch.manual_seed(0)
    arguments = {} if kind == "linear" else {"hidden": F}
    layer = MoELayer(TopK(D, E, 2), EXPERTS[kind](D, E, **arguments), DISPATCHERS[dispatcher]())
    layer, x_TD = layer.bfloat16(), torch.randn(T, D).bfloat16()
    results = []
    for dtype in (torch.bfloat16, torch.float32):
        layer = layer.to(dtype)
        x = x_TD.to(dtype).requires_grad_()
        y_TD, decision = layer(x)
        assert y_TD.dtype == dtype
        assert decision.weight_A.dtype == torch.float32
        found = torch.autograd.grad(y_TD.sum(), [x, *layer.parameters()])
        results.append([y_TD, decision.logits_TE, *found])
    assert torch.equal(results[0][1], results[1][1])
    for rounded, exact in zip(*results, strict=True):
        close = 0.02 * exact.abs().max().item()
        torch.testing.assert_close(rounded.float(), exact, atol=close, rtol=0.02)


@pytest.mark.parametrize("width", [8, 7])  # torch's grouped product refuses rows of 7 numbers
@pytest.mark.parametrize(
    ("counts", "expanded"),
    [
        ([5, 0, 9, 10], False),
        ([24, 0, 0, 0], False),
        ([0, 0, 0, 24], False),
        ([6, 6, 6, 6], False),
        ([6, 6, 6, 6], True),
    ],
)
def test_the_three_kernels_agree(counts: list[int], expanded: bool, width: int) -> None:
    """With one product per expert written here, gradients included."""
    torch.manual_seed(0)
    x_RD = torch.randn(T, width, requires_grad=True)
    weight_EDF = torch.randn(E, width, F, requires_grad=True)
    count_E = torch.tensor(6).expand(E) if expanded else torch.tensor(counts)
    groups = zip(x_RD.split(counts), weight_EDF, strict=True)
    results = []
    for y_RF in (
        grouped_matmul(x_RD, weight_EDF, count_E),
        torch.cat([x_ND @ weight_DF for x_ND, weight_DF in groups]),
    ):
        found = torch.autograd.grad(y_RF.sin().sum(), [x_RD, weight_EDF])
        results.append([y_RF, *found])
    for ours, expected in zip(*results, strict=True):
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("width", "expanded", "kernel"),
    [(8, False, "aten::_grouped_mm"), (7, False, "aten::mm"), (8, True, "aten::bmm")],
)
def test_each_kernel_runs_where_it_should(width: int, expanded: bool, kernel: str) -> None:
    count_E = torch.tensor(6).expand(E) if expanded else torch.tensor([6] * E)
    with torch.profiler.profile() as profile:
        grouped_matmul(torch.randn(T, width), torch.randn(E, width, F), count_E)
    kernels = {"aten::_grouped_mm", "aten::mm", "aten::bmm"}
    # The first only: on a CPU the grouped product is itself made of plain ones.
    assert next(event.name for event in profile.events() if event.name in kernels) == kernel


def test_a_summed_answer_has_a_gradient() -> None:
    """torch's grouped product refuses the expanded gradient of a sum; ours must not."""
    x_RD = torch.randn(T, D, requires_grad=True)
    weight_EDF = torch.randn(E, D, F, requires_grad=True)
    grouped_matmul(x_RD, weight_EDF, torch.tensor([5, 0, 9, 10])).sum().backward()
    # By the row: its matrix summed over F. By the matrix: its rows summed, alike in each column.
    expert_R = torch.tensor([0] * 5 + [2] * 9 + [3] * 10)
    torch.testing.assert_close(x_RD.grad, weight_EDF.detach().sum(-1)[expert_R])
    sums = [x_RD.detach()[expert_R == expert].sum(0) for expert in range(E)]
    torch.testing.assert_close(weight_EDF.grad, torch.stack(sums)[:, :, None].expand_as(weight_EDF))


def test_autocast_casts_both_factors() -> None:
    x_RD, weight_EDF = torch.randn(T, D), torch.randn(E, D, F)
    for counts in (torch.tensor([5, 0, 9, 10]), torch.tensor(6).expand(E)):
        with torch.autocast("cpu", torch.bfloat16):
            assert grouped_matmul(x_RD, weight_EDF, counts).dtype == torch.bfloat16
            exact = grouped_matmul(x_RD.double(), weight_EDF.double(), counts)
            assert exact.dtype == torch.float64  # as in torch.nn.Linear


@pytest.mark.parametrize("implementation", ["eager", "grouped_mm"])
def test_mixtral_of_hugging_face(implementation: str) -> None:
    transformers = pytest.importorskip("transformers")
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    torch.manual_seed(0)
    config = transformers.MixtralConfig(
        hidden_size=D, intermediate_size=F, num_local_experts=E, num_experts_per_tok=2
    )
    config._experts_implementation = implementation
    theirs = MixtralSparseMoeBlock(config)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter, std=0.3)
    ours = MoELayer(TopK(D, E, 2), SwiGLU(D, E, F), DISPATCHERS["grouped"]())
    with torch.no_grad():
        ours.router.score.weight.copy_(theirs.gate.weight)
        ours.experts.gate_up_EDF.copy_(theirs.experts.gate_up_proj.transpose(1, 2))
        ours.experts.down_EFD.copy_(theirs.experts.down_proj.transpose(1, 2))
    x_TD = torch.randn(T, D)
    results = []
    for block, shape in ((ours, (T, D)), (theirs, (2, T // 2, D))):
        x = x_TD.view(shape).clone().requires_grad_()
        y = block(x)
        y = y[0] if isinstance(y, tuple) else y
        y.square().sum().backward()
        results.append((y.reshape(T, D), x.grad.reshape(T, D)))
    torch.testing.assert_close(results[0][0], results[1][0])
    torch.testing.assert_close(results[0][1], results[1][1])
    pairs = [
        (ours.router.score.weight.grad, theirs.gate.weight.grad),
        (ours.experts.gate_up_EDF.grad, theirs.experts.gate_up_proj.grad.transpose(1, 2)),
        (ours.experts.down_EFD.grad, theirs.experts.down_proj.grad.transpose(1, 2)),
    ]
    for mine, other in pairs:
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)
