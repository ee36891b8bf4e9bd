"""Experts and the layer that holds them: worked values, starting weights, refusals."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from moebench.moe import MoELayer, RoutingDecision, Sparse, tokens_choose
from moebench.moe.dispatch import DISPATCHERS, Buffers, Grouped
from moebench.moe.experts import Linear, ReluMLP, SwiGLU
from moebench.moe.routers import Switch, TopK

COUNT_E = torch.tensor([1, 2])


def fill(parameter: nn.Parameter, values: list[object]) -> None:
    parameter.data = torch.tensor(values)


def test_linear_by_hand() -> None:
    experts = Linear(2, 2, out=1, bias=True)
    fill(experts.weight_EDF, [[[1.0], [2.0]], [[3.0], [4.0]]])
    fill(experts.bias_EF, [[0.5], [-1.0]])
    x_RD = torch.tensor([[1.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
    # 1 + 2 + 0.5, 3 + 4 - 1, 6 - 1
    assert experts(x_RD, COUNT_E).tolist() == [[3.5], [6.0], [5.0]]


def test_relu_mlp_by_hand() -> None:
    experts = ReluMLP(1, 2, hidden=2)
    fill(experts.up_EDF, [[[1.0, -1.0]], [[2.0, -2.0]]])
    fill(experts.down_EFD, [[[10.0], [100.0]], [[10.0], [100.0]]])
    # 3 -> (3, 0) -> 30; 3 -> (6, 0) -> 60; -3 -> (0, 6) -> 600
    assert experts(torch.tensor([[3.0], [3.0], [-3.0]]), COUNT_E).tolist() == [[30], [60], [600]]


def test_swiglu_by_hand() -> None:
    experts = SwiGLU(1, 2, hidden=1)
    fill(experts.gate_up_EDF, [[[1.0, 5.0]], [[0.0, 5.0]]])  # gate, then up
    fill(experts.down_EFD, [[[2.0]], [[2.0]]])
    # silu(1) = 1 / (1 + e^-1); its product with up 5 and down 2. A gate of zero shuts all.
    answer = experts(torch.tensor([[1.0], [1.0], [7.0]]), COUNT_E)
    silu_of_one = 1 / (1 + torch.tensor(-1.0).exp())
    torch.testing.assert_close(answer, torch.stack([10 * silu_of_one, *torch.zeros(2)])[:, None])


@pytest.mark.parametrize("fan_in", [4, 400])
def test_weights_start_as_those_of_torch_do(fan_in: int) -> None:
    """Uniform between plus and minus fan_in to the minus one half, whatever the other sizes."""
    torch.manual_seed(0)
    weights = {
        "linear": Linear(fan_in, 3, out=500).weight_EDF,
        "up": ReluMLP(fan_in, 3, hidden=500).up_EDF,
        "down": ReluMLP(500, 3, hidden=fan_in).down_EFD,
        "gate_up": SwiGLU(fan_in, 3, hidden=500).gate_up_EDF,
        "gated down": SwiGLU(500, 3, hidden=fan_in).down_EFD,
        "dense": nn.Linear(fan_in, 3 * 500).weight,
    }
    for name, weight in weights.items():
        assert 0.98 * fan_in**-0.5 < weight.abs().max() <= fan_in**-0.5, name
        assert weight.std().item() * (3 * fan_in) ** 0.5 == pytest.approx(1, abs=0.03), name


def test_expert_dropout_acts_inside_the_expert_in_training_only() -> None:
    experts = ReluMLP(1, 2, hidden=1000, dropout=0.5)
    nn.init.ones_(experts.up_EDF)
    nn.init.ones_(experts.down_EFD)
    x_RD = torch.ones(3, 1)
    assert experts.eval()(x_RD, COUNT_E).tolist() == [[1000.0]] * 3
    torch.manual_seed(0)
    answer = experts.train()(x_RD, COUNT_E)
    # 1000 features, each 0 or 2: a mean of 1000 and a deviation of 32.
    assert (answer != 1000).any()
    torch.testing.assert_close(answer, torch.full((3, 1), 1000.0), atol=130, rtol=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReluMLP(4, 2, hidden=0), "hidden=0: experts need at least 1"),
        (lambda: SwiGLU(4, 0, hidden=8), "num_experts=0: experts need at least 1"),
        (lambda: Linear(4, 2, out=0), "out=0: experts need at least 1"),
        (lambda: Linear(-4, 2), "dim=-4: experts need at least 1"),
        (lambda: Buffers(rows=0), "rows=0: a buffer needs at least 1 row"),
        (
            lambda: Sparse(Switch, Linear, every=0),
            "sparse.every=0: must be at least 1 (every block)",
        ),
        (
            lambda: Sparse(lambda dim: nn.Linear(dim, 2), Linear).build(4),
            "router=Linear: has no integer attribute num_experts, see moebench/moe/contract.py",
        ),
    ],
)
def test_bad_numbers_are_refused_in_one_line(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=r"need|must|has") as refusal:
        make()
    assert str(refusal.value) == message


def test_a_buffer_that_is_too_small_is_refused() -> None:
    scores_TE = torch.zeros(3, 2)
    expert_T1 = torch.tensor([[0], [0], [1]])
    decision = tokens_choose(scores_TE, scores_TE, expert_T1, torch.ones(3, 1))
    message = r"^rows=1: an expert keeps 2 rows; limit the router first$"
    with pytest.raises(ValueError, match=message):
        Buffers(rows=1)(torch.ones(3, 4), decision, Linear(4, 2))
    assert Buffers(rows=2)(torch.ones(3, 4), decision, Linear(4, 2)).shape == (3, 4)


@pytest.mark.parametrize("name", DISPATCHERS)
def test_the_layer_by_hand(name: str) -> None:
    """Two experts that multiply by 10 and by 100; the router sees the token, so do they."""
    layer = MoELayer(TopK(1, 2, k=2), Linear(1, 2), DISPATCHERS[name]())
    fill(layer.router.score.weight, [[0.0], [0.6931472]])  # scores of x = 1: ln 1 and ln 2
    fill(layer.experts.weight_EDF, [[[10.0]], [[100.0]]])
    y_TD, decision = layer(torch.tensor([[1.0], [2.0]]))
    # x = 1: 10 / 3 + 100 x 2 / 3 = 70. x = 2: (20 + 4 x 200) / 5 = 164.
    torch.testing.assert_close(y_TD, torch.tensor([[70.0], [164.0]]))
    assert isinstance(decision, RoutingDecision)


def test_the_layer_keeps_nothing_between_calls() -> None:
    layer = MoELayer(TopK(4, 2), Linear(4, 2), Grouped())
    before = [dict(vars(module)) for module in layer.modules()]
    layer(torch.randn(3, 4))
    assert [dict(vars(module)) for module in layer.modules()] == before


def test_rows_of_buffers_without_a_token_do_not_reach_the_answer() -> None:
    """A bias makes the answer of an empty row non-zero; no token may receive it."""
    experts = Linear(2, 2, bias=True)
    nn.init.zeros_(experts.weight_EDF)
    fill(experts.bias_EF, [[1.0, 1.0], [5.0, 5.0]])
    scores_TE = torch.zeros(3, 2)
    expert_T1 = torch.tensor([[0], [0], [1]])
    decision = tokens_choose(scores_TE, scores_TE, expert_T1, torch.ones(3, 1))
    y_TD: Tensor = Buffers(rows=4)(torch.ones(3, 2), decision, experts)
    assert y_TD.tolist() == [[1.0, 1.0], [1.0, 1.0], [5.0, 5.0]]
    y_TD.sum().backward()
    assert experts.bias_EF.grad.tolist() == [[2.0, 2.0], [1.0, 1.0]]
