"""The LSTM language model of 2017: its equations written out, its baselines of equal cost."""

from types import SimpleNamespace

import pytest
import torch

from moebench.models import LstmMoE
from moebench.models.lstm import Lstm, LstmShape, ProjectedLstm, SigmoidMixture, SingleExpert
from moebench.moe.experts import ReluMLP
from moebench.moe.routers import AllExperts, NoisyTopK
from moebench.training.cost import count_batch, flop_counter

V, W, B, L = 48, 32, 3, 7


def batch(length: int = L) -> SimpleNamespace:
    generator = torch.Generator().manual_seed(0)
    ids_BL = torch.randint(V, (B, length), generator=generator)
    return SimpleNamespace(input_BL=ids_BL, context_BL=None)


def mixture(num_experts: int, k: int):
    def router(dim: int):
        return NoisyTopK(dim, num_experts, k) if k < num_experts else AllExperts(dim, num_experts)

    return lambda dim: SigmoidMixture(dim, router, lambda d, e: ReluMLP(d, e, 2 * W))


def model(**arguments) -> LstmMoE:
    torch.manual_seed(3)
    return LstmMoE(V, **{"shape": LstmShape(W), **arguments})


RIVALS = {  # the paper's names; 4 experts of 2 W features are at work in each mixture
    "MoE-4": {"middle": mixture(4, 4)},
    "MoE-16": {"middle": mixture(16, 4)},
    "MoE-1-Wide": {"middle": lambda dim: SingleExpert(dim, 8 * W)},
    "MoE-1-Deep": {"middle": lambda dim: SingleExpert(dim, 2 * W, layers=4)},
    "4xLSTM": {"shape": LstmShape(W, before=2, after=2)},
    "LSTM-projected": {
        "shape": LstmShape(W, before=1, after=0),
        "recurrent": lambda dim: ProjectedLstm(dim, 32 * W // 9),
    },
}


def lstm_by_hand(lstm: torch.nn.LSTM, x_BLD: torch.Tensor) -> torch.Tensor:
    """The equations of an LSTM, gates in torch's order: input, forget, cell, output."""
    state_BD = cell_BF = None
    answers = []
    for x_BD in x_BLD.unbind(1):
        if state_BD is None:
            state_BD, cell_BF = torch.zeros_like(x_BD), x_BD.new_zeros(len(x_BD), lstm.hidden_size)
        sums = x_BD @ lstm.weight_ih_l0.T + state_BD @ lstm.weight_hh_l0.T
        into, forget, new, out = (sums + lstm.bias_ih_l0 + lstm.bias_hh_l0).chunk(4, dim=-1)
        cell_BF = forget.sigmoid() * cell_BF + into.sigmoid() * new.tanh()
        state_BD = out.sigmoid() * cell_BF.tanh()
        if lstm.proj_size:
            state_BD = state_BD @ lstm.weight_hr_l0.T
        answers.append(state_BD)
    return torch.stack(answers, dim=1)


def test_the_five_layers_written_out() -> None:
    network = model(middle=mixture(8, 2)).eval()
    torch.nn.init.normal_(network.middle.mixture.moe.router.score.weight)
    found = network(batch())
    x_BLD = network.embedding.weight[batch().input_BL]
    x_BLD = x_BLD + lstm_by_hand(network.before[0].lstm, x_BLD)
    y_TD, decision = network.middle.mixture.moe(x_BLD.flatten(0, 1))
    x_BLD = x_BLD + 1 / (1 + (-y_TD.view(x_BLD.shape)).exp())
    x_BLD = x_BLD + lstm_by_hand(network.after[0].lstm, x_BLD)
    torch.testing.assert_close(found.prediction, x_BLD @ network.softmax.weight.T)
    [only] = found.decisions
    assert only.num_tokens == B * L, "all time steps at once"
    assert torch.equal(only.expert_A, decision.expert_A)


@pytest.mark.parametrize("layer", [Lstm(W), ProjectedLstm(W, 48)])
def test_recurrent_layers_written_out(layer) -> None:
    x_BLD = torch.randn(B, L, W, generator=torch.Generator().manual_seed(1))
    y_BLD, decisions = layer(x_BLD)
    torch.testing.assert_close(y_BLD, lstm_by_hand(layer.lstm, x_BLD))
    assert decisions == []


def test_the_deep_expert_written_out() -> None:
    expert = SingleExpert(W, 48, layers=2)
    x_BLD = torch.randn(B, L, W, generator=torch.Generator().manual_seed(1))
    first, second = (linear.weight for linear in expert.hidden)
    hidden = ((x_BLD @ first.T).relu() @ second.T).relu()
    torch.testing.assert_close(expert(x_BLD)[0], (hidden @ expert.down.weight.T).sigmoid())


@pytest.mark.parametrize("name", RIVALS)
def test_all_cost_the_same_operations_a_time_step(name: str) -> None:
    """Two LSTM layers of 8 W^2 and a middle of 16 W^2 products, a softmax; gates come on top."""
    cost = count_batch(model(**RIVALS[name]).eval(), batch())
    gate = {"MoE-4": 4 * W, "MoE-16": 2 * 16 * W}.get(name, 0)
    products = 9 * W * (32 * W // 9) if name == "LSTM-projected" else 32 * W * W
    assert cost.flops_per_token == 2 * (products + V * W + gate)
    assert cost.flops_per_token == pytest.approx(2 * (32 * W * W + V * W), rel=0.04)


def test_lstm_layers_count_in_training_too() -> None:
    layer = Lstm(W)
    with flop_counter() as counter:
        layer(torch.randn(B, L, W))
    assert counter.get_total_flops() == 2 * B * L * 8 * W * W


@pytest.mark.parametrize("name", RIVALS)
def test_later_tokens_do_not_change_earlier_answers(name: str) -> None:
    network = model(**RIVALS[name]).eval()
    whole = network(batch()).prediction
    start = batch()
    start.input_BL = start.input_BL[:, :4]
    torch.testing.assert_close(network(start).prediction, whole[:, :4])


def test_models_of_one_seed_share_what_they_have_in_common() -> None:
    wide, sparse = (dict(model(**RIVALS[n]).named_parameters()) for n in ("MoE-1-Wide", "MoE-16"))
    common = wide.keys() & sparse.keys()
    assert {"embedding.weight", "softmax.weight", "before.0.lstm.weight_ih_l0"} <= common
    assert all(torch.equal(wide[name], sparse[name]) for name in common)
    gates = [value for name, value in sparse.items() if "router" in name]
    assert len(gates) == 2
    assert not any(gate.any() for gate in gates), "both matrices of the gate start at zero"


def test_dropout_comes_after_every_layer_but_the_softmax() -> None:
    network = model(middle=mixture(8, 2), dropout=0.5).train()
    seen = []
    network.dropout.register_forward_hook(lambda *call: seen.append(call[2].shape))
    network(batch())
    assert seen == [(B, L, W)] * 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LstmShape(width=0), "shape.width=0: must be at least 1"),
        (lambda: LstmShape(after=-1), "shape.after=-1: must be at least 0"),
        (lambda: SingleExpert(8, 0), "hidden=0: must be at least 1"),
        (lambda: SingleExpert(8, 8, layers=0), "layers=0: must be at least 1"),
        (lambda: ProjectedLstm(8, 8), "hidden=8: must be above the width 8 it is projected to"),
        (lambda: LstmMoE(0), "vocabulary=0: must be at least 1"),
        (lambda: LstmMoE(8, dropout=1.0), "dropout=1.0: must be at least 0 and below 1"),
    ],
)
def test_bad_sizes_are_refused_in_one_line(make, message: str) -> None:
    with pytest.raises(ValueError, match="must") as refusal:
        make()
    assert str(refusal.value) == message
